import { useEffect, useMemo, useRef } from "react";
import { graphql } from "../../api/gen";
import type { TreeRowsQuery, TreeRowsQueryVariables } from "../../api/gen/graphql";
import { useApi } from "../../api/hooks";
import { onReopened, useLive } from "../../api/live";
import type { Fault } from "../../api/request";
import { type ChangedRow, useChangedRows } from "../../entities/useChangedRows";
import { useRowDetails } from "../../entities/useRowDetails";
import { coordinatesOf, isPast } from "../../time/moment";
import { useMoment } from "../../time/useMoment";
import { openEvents } from "../../alarms/openEvents";
import { alarmsBelow, type AlarmCounts } from "./alarmsBelow";

const ROWS = graphql(`
  query TreeRows($ids: [ID!]!, $asOf: DateTime, $knownAt: DateTime) {
    nodes(ids: $ids) {
      __typename
      id
      ... on Asset {
        healthScore
        children(asOf: $asOf, knownAt: $knownAt, first: 0) {
          totalCount
        }
        located: related(relationships: ["LOCATED_IN"], direction: IN, kinds: [ASSET, DEVICE], asOf: $asOf, knownAt: $knownAt, first: 0) {
          totalCount
        }
        devices(asOf: $asOf, knownAt: $knownAt, first: 0) {
          totalCount
        }
      }
      ... on Space {
        children(asOf: $asOf, knownAt: $knownAt, first: 0) {
          totalCount
        }
        located: related(relationships: ["LOCATED_IN"], direction: IN, kinds: [ASSET, DEVICE], asOf: $asOf, knownAt: $knownAt, first: 0) {
          totalCount
        }
        devices: related(relationships: ["MONITORED_BY", "CONTROLLED_BY"], asOf: $asOf, knownAt: $knownAt, first: 0) {
          totalCount
        }
      }
      ... on Device {
        connectivity
      }
    }
  }
`);

const OPEN = graphql(`
  query TreeOpenAlarms($states: [EventState!], $openAt: DateTime) {
    events(filter: { states: $states, openAt: $openAt }, first: 500) {
      nodes {
        id
        severity
        entity {
          id
        }
      }
      pageInfo {
        hasNextPage
      }
    }
  }
`);

const UPWARD = graphql(`
  query TreeAlarmPlaces($input: TraverseInput!) {
    traverse(input: $input) {
      edges {
        id
        relationship
        source {
          id
        }
        target {
          id
        }
      }
    }
  }
`);

const ALARMS_CHANGED = graphql(`
  subscription TreeAlarmsChanged($filter: EventFilter) {
    events(filter: $filter) {
      id
    }
  }
`);

export type NodeDetail = NonNullable<TreeRowsQuery["nodes"][number]>;
/** What is known of a row: what is around it, and its own fields where they changed since it was loaded. */
export type TreeDetail = { around?: NodeDetail; own?: ChangedRow };

/** Counts, health and connectivity of the rows in view: one request for all of them. */
export function useTreeRows(ids: readonly string[]): { details: ReadonlyMap<string, TreeDetail>; faults: Fault[] } {
  const { moment } = useMoment();
  const { details, push, refetch, faults } = useRowDetails<TreeRowsQuery, TreeRowsQueryVariables, TreeDetail>({
    document: ROWS,
    variables: { ids: [...ids], ...coordinatesOf(moment) },
    enabled: ids.length > 0,
    detailsOf,
    staleMs: 10_000,
    refetchMs: 15_000,
  });
  useChangedRows(ids, (id, own) => push(id, { own }), refetch);
  return { details, faults };
}

function detailsOf({ nodes }: TreeRowsQuery): Map<string, TreeDetail> {
  return new Map(nodes.flatMap((node) => (node ? [[node.id, { around: node }] as const] : [])));
}

const GATHER_MS = 1_000;
const UP = (relationships: string[], direction: "IN" | "OUT", depth: number) => ({ relationships, direction, depth, includeStart: true });

/**
 * Open alarms at every entity and below it, by severity: two requests for the whole tree, however large it is.
 *
 * The newest 500 alarms are counted; `isPartial` says that there are more.
 */
export function useAlarmsBelow(): { counts: ReadonlyMap<string, AlarmCounts>; isPartial: boolean; faults: Fault[] } {
  const { moment } = useMoment();
  const open = useApi(OPEN, openEvents(moment), { keep: true, staleMs: 10_000 });
  const { refetch } = open;
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useLive(ALARMS_CHANGED, isPast(moment) ? null : { filter: null }, () => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      void refetch();
    }, GATHER_MS);
  });
  useEffect(() => onReopened(() => void refetch()), [refetch]);
  const events = open.data?.events.nodes;
  const startIds = useMemo(() => [...new Set((events ?? []).map((event) => event.entity.id))].sort(), [events]);
  const upward = useApi(
    UPWARD,
    {
      input: {
        startIds,
        steps: [
          UP(["MONITORED_BY", "CONTROLLED_BY"], "IN", 1),
          UP(["HAS_PART"], "IN", 32),
          UP(["LOCATED_IN"], "OUT", 4),
          UP(["HAS_PART"], "IN", 32),
          UP(["LOCATED_IN"], "OUT", 4),
          UP(["CONTAINS"], "IN", 32),
        ],
        ...coordinatesOf(moment),
      },
    },
    { enabled: startIds.length > 0, keep: true, staleMs: 30_000 },
  );
  const edges = upward.data?.traverse.edges;
  const counts = useMemo(
    () =>
      alarmsBelow(
        (events ?? []).map((event) => ({ severity: event.severity, entityId: event.entity.id })),
        (edges ?? []).map((edge) => ({ relationship: edge.relationship, sourceId: edge.source.id, targetId: edge.target.id })),
      ),
    [events, edges],
  );
  return {
    counts,
    isPartial: open.data?.events.pageInfo.hasNextPage ?? false,
    faults: [...(open.error?.faults ?? []), ...(upward.error?.faults ?? []), ...open.faults, ...upward.faults],
  };
}
