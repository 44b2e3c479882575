import { useMemo } from "react";
import { graphql } from "../api/gen";
import { useApi } from "../api/hooks";
import { coordinatesOf } from "../time/moment";
import { useMoment } from "../time/useMoment";
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

const PLACES_MAX = 100;

/** The spaces of the entities of alarms, at most 100 of them; an asset without one is where the whole is. One request. */
export function usePlaces(alarms: readonly Alarm[], enabled: boolean): Places {
  const { moment } = useMoment();
  const ids = [...new Set(alarms.filter((alarm) => alarm.entity.kind !== "SPACE").map((alarm) => alarm.entity.id))].sort().slice(0, PLACES_MAX);
  const answer = useApi(ALARM_PLACES, { ids, ...coordinatesOf(moment) }, { enabled: enabled && ids.length > 0, keep: true, staleMs: 60_000 });
  return useMemo(() => {
    const places = new Map<string, { id: string; name: string } | null>();
    for (const node of answer.data?.nodes ?? []) {
      if (node?.__typename === "Device") places.set(node.id, node.related?.nodes[0] ?? null);
      if (node?.__typename === "Asset") {
        places.set(node.id, node.related?.nodes[0] ?? node.whole?.nodes[0]?.related?.nodes[0] ?? null);
      }
    }
    return places;
  }, [answer.data]);
}
