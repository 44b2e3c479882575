import { useMemo, useRef } from "react";
import { graphql } from "../api/gen";
import { useApi } from "../api/hooks";
import { coordinatesOf } from "../time/moment";
import { useMoment } from "../time/useMoment";
import { useDebounced } from "../ui/useDebounced";
import type { Alarm } from "./alarm";
import type { Places } from "./groups";

const ALARM_PLACES = graphql(`
  query AlarmPlaces($ids: [ID!]!, $asOf: DateTime, $knownAt: DateTime) {
    nodes(ids: $ids) {
      __typename
      id
      ... on Device {
        related(relationships: ["LOCATED_IN"], kinds: [SPACE], first: 1, asOf: $asOf, knownAt: $knownAt) {
          nodes {
            id
            name
          }
        }
      }
      ... on Asset {
        related(relationships: ["LOCATED_IN"], kinds: [SPACE], first: 1, asOf: $asOf, knownAt: $knownAt) {
          nodes {
            id
            name
          }
        }
        whole: related(relationships: ["HAS_PART"], direction: IN, depth: 4, first: 1, asOf: $asOf, knownAt: $knownAt) {
          nodes {
            related(relationships: ["LOCATED_IN"], kinds: [SPACE], first: 1, asOf: $asOf, knownAt: $knownAt) {
              nodes {
                id
                name
              }
            }
          }
        }
      }
    }
  }
`);

type Place = { id: string; name: string } | null;

const AT_ONCE = 100;
// While alarms pour in, the places of those that are new are requested together.
const TOGETHER_MS = 300;

/** The spaces of the entities of alarms; an asset without one is where the whole is. A request for each hundred that are new. */
export function usePlaces(alarms: readonly Alarm[], enabled: boolean): Places {
  const { moment } = useMoment();
  const coordinates = coordinatesOf(moment);
  const scope = JSON.stringify(coordinates);
  const known = useRef({ scope, places: new Map<string, Place>() });
  if (known.current.scope !== scope) known.current = { scope, places: new Map() };
  const ids = [...new Set(alarms.filter((alarm) => alarm.entity.kind !== "SPACE").map((alarm) => alarm.entity.id))].sort();
  const missing = ids.filter((id) => !known.current.places.has(id)).slice(0, AT_ONCE);
  const wanted = useDebounced(missing.join(), TOGETHER_MS);
  const answer = useApi(ALARM_PLACES, { ids: wanted.split(","), ...coordinates }, { enabled: enabled && wanted !== "", staleMs: 60_000 });
  return useMemo(() => {
    const { places } = known.current;
    if (answer.data !== undefined) for (const id of wanted.split(",")) places.set(id, places.get(id) ?? null);
    for (const node of answer.data?.nodes ?? []) {
      if (node?.__typename === "Device") places.set(node.id, node.related?.nodes[0] ?? null);
      if (node?.__typename === "Asset") {
        places.set(node.id, node.related?.nodes[0] ?? node.whole?.nodes[0]?.related?.nodes[0] ?? null);
      }
    }
    return new Map(places);
  }, [answer.data, wanted, scope]);
}
