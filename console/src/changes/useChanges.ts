import { useMemo } from "react";
import { graphql } from "../api/gen";
import type { EventFilter } from "../api/gen/graphql";
import { useApi } from "../api/hooks";
import { usePages } from "../api/usePages";
import type { Fault } from "../api/request";
import { versionOf } from "../time/holds";
import { type Micros, microsOf, textOf } from "../time/instant";
import { eventsThen } from "./eventsThen";
import { type ChangeOfRange, happenedEntries, type HappenedEntry, learnedEntries, type LearnedEntry, versionsOfTrail } from "./items";

const CHANGES = graphql(`
  query ChangesOfRange($filter: ChangeFilter!, $first: Int!, $after: String) {
    changes(filter: $filter, first: $first, after: $after) {
      totalCount
      nodes {
        ...ChangeOfRange
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

export const CHANGE_OF_RANGE = graphql(`
  fragment ChangeOfRange on Change {
    id
    recordedAt
    actor
    action
    before
    after
    reason
    subject {
      __typename
      id
      ... on Entity {
        kind
        name
      }
      ... on Rule {
        name
      }
      ... on Edge {
        edgeId
        relationship
        port
        source {
          id
          kind
          name
        }
        target {
          id
          kind
          name
        }
      }
    }
  }
`);

const EVENTS = graphql(`
  query EventsOfRange($happened: EventFilter!, $withdrawn: EventFilter!, $subject: ID!, $hasSubject: Boolean!, $first: Int!) {
    happened: events(filter: $happened, first: $first) {
      totalCount
      nodes {
        ...EventOfRange
      }
    }
    withdrawn: events(filter: $withdrawn, first: $first) {
      nodes {
        ...EventOfRange
      }
    }
    entity(id: $subject) @include(if: $hasSubject) {
      id
      kind
      name
      type
    }
  }
`);

export const EVENT_OF_RANGE = graphql(`
  fragment EventOfRange on Event {
    id
    state
    severity
    openedAt
    detectedAt
    clearedAt
    withdrawnAt
    rule {
      id
      name
    }
    entity {
      id
      kind
      name
    }
    corrections {
      recordedAt
      before
      after
    }
  }
`);

const VERSIONS = graphql(`
  query VersionsOfRange($entityIds: [ID!], $underId: ID, $from: DateTime!, $to: DateTime!, $after: String) {
    edgeVersions(entityIds: $entityIds, underId: $underId, from: $from, to: $to, first: 500, after: $after) {
      totalCount
      nodes {
        id
        edgeId
        relationship
        port
        validFrom
        validUntil
        recordedAt
        retractedAt
        source {
          id
          kind
          name
        }
        target {
          id
          kind
          name
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

export type Subject = { entity: string } | { under: string } | null;
type ChangesQuery = { from: Micros; to: Micros; subject: Subject; knownAt: Micros | null; actor: string | null; isSeen: boolean };

const NOBODY = "00000000-0000-0000-0000-000000000000";
const FIRST = 100;
const EVENTS_FIRST = 200;
// Versions are listed by when they were valid; what was learned lately may be of long ago.
const LONG_AGO = "1970-01-01T00:00:00Z";

/**
 * What happened and what was learned between two moments, newest first.
 *
 * Two requests for the organization; with a subject two more, for the versions of its links and for who changed them.
 */
export function useChanges(query: ChangesQuery) {
  const { subject, knownAt } = query;
  const from = textOf(query.from);
  const to = textOf(query.to);
  const entity = subject !== null && "entity" in subject ? subject.entity : null;
  const under = subject !== null && "under" in subject ? subject.under : null;
  const scope: EventFilter = entity !== null ? { entityIds: [entity] } : under !== null ? { underId: under } : {};
  const events = useApi(
    EVENTS,
    {
      happened: { ...scope, from, to },
      withdrawn: { ...scope, states: ["WITHDRAWN"] },
      subject: entity ?? under ?? NOBODY,
      hasSubject: subject !== null,
      first: EVENTS_FIRST,
    },
    { keep: true, staleMs: 30_000 },
  );
  const versions = usePages(
    VERSIONS,
    { entityIds: entity === null ? null : [entity], underId: under, from: LONG_AGO, to, after: null },
    (data) => data.edgeVersions,
    { enabled: subject !== null, keep: true, staleMs: 30_000 },
  );
  const actors = query.actor === null ? {} : { actors: [query.actor] };
  // A filter by what is below an entity leaves out links: their changes are requested by their ids.
  const edgeIds = useMemo(() => [...new Set(versions.nodes.filter((edge) => isRecordedIn(edge, from, to)).map((edge) => edge.edgeId))], [versions.nodes, from, to]);
  const ofEntities = entity !== null ? { subjectIds: [entity] } : under !== null ? { underId: under } : {};
  const changes = usePages(
    CHANGES,
    { filter: { from, to, ...actors, ...ofEntities }, first: FIRST, after: null },
    (data) => data.changes,
    { keep: true, staleMs: 30_000 },
  );
  const links = usePages(
    CHANGES,
    { filter: { from, to, ...actors, subjectIds: edgeIds }, first: FIRST, after: null },
    (data) => data.changes,
    { enabled: subject !== null && edgeIds.length > 0, keep: true, staleMs: 30_000 },
  );

  const recorded: ChangeOfRange[] = useMemo(
    () => (subject === null || edgeIds.length === 0 ? changes.nodes : [...changes.nodes, ...links.nodes]),
    [subject === null, edgeIds.length, changes.nodes, links.nodes],
  );
  const happened: HappenedEntry[] = useMemo(() => {
    const listed = subject === null ? versionsOfTrail(recorded) : versions.nodes.map(versionOf);
    const rows = events.data?.happened.nodes ?? [];
    // Under "What we saw then", alarms as they were known then: without what was found out, corrected or withdrawn later.
    const known = knownAt === null ? rows : eventsThen([...rows, ...(events.data?.withdrawn.nodes ?? [])], knownAt);
    return happenedEntries(known, listed, { from: query.from, to: query.to, knownAt });
  }, [subject === null, recorded, versions.nodes, events.data, query.from, query.to, knownAt]);
  const learned: LearnedEntry[] = useMemo(
    () => learnedEntries(recorded, [...(events.data?.happened.nodes ?? []), ...(events.data?.withdrawn.nodes ?? [])], query),
    [recorded, events.data, query.from, query.to],
  );
  const errors: Fault[] = [events.error, versions.error, changes.error, links.error].flatMap((error) => error?.faults ?? []);
  return {
    happened,
    learned,
    entity: events.data?.entity ?? null,
    eventsTotal: events.data?.happened.totalCount ?? null,
    eventsLoaded: events.data?.happened.nodes.length ?? 0,
    changesTotal: changes.totalCount === null ? null : changes.totalCount + (links.totalCount ?? 0),
    changesLoaded: recorded.length,
    isLoading: (events.data === undefined && events.error === null) || changes.isLoading || versions.isLoading || links.isLoading,
    hasMore: changes.hasMore || links.hasMore || versions.hasMore,
    loadMore: () => {
      changes.loadMore();
      links.loadMore();
      versions.loadMore();
    },
    isFetching: events.isFetching || changes.isFetching || links.isFetching || versions.isFetching,
    faults: [...errors, ...events.faults, ...versions.faults, ...changes.faults, ...links.faults],
    retry: () => {
      if (events.error !== null || events.faults.length > 0) void events.refetch();
      for (const pages of [versions, changes, links]) if (pages.error !== null || pages.faults.length > 0) pages.retry();
    },
  };
}

function isRecordedIn(edge: { recordedAt: string; retractedAt?: string | null }, from: string, to: string): boolean {
  const isIn = (at: string) => microsOf(from) < microsOf(at) && microsOf(at) <= microsOf(to);
  return isIn(edge.recordedAt) || (Boolean(edge.retractedAt) && isIn(edge.retractedAt ?? ""));
}
