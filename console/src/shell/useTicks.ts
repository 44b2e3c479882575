import { useMemo } from "react";
import { graphql } from "../api/gen";
import { useApi } from "../api/hooks";
import { changeInstants } from "../time/diff";
import { type EdgeVersion, versionOf } from "../time/holds";
import { type Micros, microsOf, textOf } from "../time/instant";
import { useCurrentSubject } from "../time/subject";

const VERSIONS = graphql(`
  query TimeBarVersions($entityIds: [ID!], $underId: ID, $from: DateTime!, $to: DateTime!) {
    edgeVersions(entityIds: $entityIds, underId: $underId, from: $from, to: $to, first: 500) {
      nodes {
        id
        edgeId
        validFrom
        validUntil
        recordedAt
        retractedAt
      }
      pageInfo {
        hasNextPage
      }
    }
  }
`);

const ALARMS = graphql(`
  query TimeBarAlarms($filter: EventFilter!) {
    events(filter: $filter, first: 200) {
      nodes {
        id
        severity
        openedAt
      }
      pageInfo {
        hasNextPage
      }
    }
  }
`);

export type Tick = { at: Micros; what: "link" | "alarm" };

const MINUTE_US = 60e6;

/** Return the instants in a window at which links changed or alarms opened, at what the page shows. */
export function useTicks(from: Micros, to: Micros, knownAt: Micros | null): { ticks: Tick[]; isPartial: boolean } {
  const subject = useCurrentSubject();
  // To the minute: a live window that moves does not ask again at every second.
  const range = { from: textOf(Math.floor(from / MINUTE_US) * MINUTE_US), to: textOf(Math.ceil(to / MINUTE_US) * MINUTE_US) };
  const at = subject === null ? {} : "underId" in subject ? { underId: subject.underId } : { entityIds: [...subject.entityIds] };
  const versions = useApi(VERSIONS, { ...at, ...range }, { enabled: subject !== null, staleMs: 60_000 });
  const alarms = useApi(ALARMS, { filter: { ...at, ...range } }, { staleMs: 60_000 });
  const edges = versions.data?.edgeVersions.nodes;
  const events = alarms.data?.events.nodes;
  const isPartial = Boolean(versions.data?.edgeVersions.pageInfo.hasNextPage || alarms.data?.events.pageInfo.hasNextPage);
  const ticks = useMemo(() => {
    const links: EdgeVersion[] = subject === null ? [] : (edges ?? []).map(versionOf);
    return [
      ...changeInstants(links, from, to, knownAt).map((instant): Tick => ({ at: instant, what: "link" })),
      ...(events ?? [])
        .map((event): Tick => ({ at: microsOf(event.openedAt), what: "alarm" }))
        .filter((tick) => from < tick.at && tick.at < to),
    ].sort((a, b) => a.at - b.at);
  }, [subject, edges, events, from, to, knownAt]);
  return { ticks, isPartial };
}
