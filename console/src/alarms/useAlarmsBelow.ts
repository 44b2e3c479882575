import { useEffect, useMemo, useRef } from "react";
import { graphql } from "../api/gen";
import { useApi } from "../api/hooks";
import { onReopened, useLive } from "../api/live";
import type { Fault } from "../api/request";
import { stepsUp } from "../entities/above";
import { textOf } from "../time/instant";
import { coordinatesOf, isPast } from "../time/moment";
import { useMoment } from "../time/useMoment";
import { type AlarmCount, alarmsBelow } from "./alarmsBelow";

const OPEN = graphql(`
  query OpenAlarmPlaces($filter: EventFilter!) {
    events(filter: $filter, first: 500) {
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

const ABOVE = graphql(`
  query AboveAlarms($ids: [ID!]!, $steps: [TraverseStep!]!, $asOf: DateTime, $knownAt: DateTime) {
    traverse(input: { startIds: $ids, steps: $steps, limit: 10000, asOf: $asOf, knownAt: $knownAt }) {
      truncated
      edges {
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

const CHANGED = graphql(`
  subscription OpenAlarmChanges($filter: EventFilter!) {
    events(filter: $filter) {
      id
      state
    }
  }
`);

const TOGETHER_MS = 2_000;
const STEPS = stepsUp();

export type AlarmsBelow = {
  counts: ReadonlyMap<string, AlarmCount>;
  /** More are open than are counted. */
  isPartial: boolean;
  isLoading: boolean;
  faults: Fault[];
};

/**
 * The open alarms at and below every entity, of all or of those below one, at the moment shown: two requests.
 *
 * Alarms are few where entities are many: the graph is walked from the alarms up, not from every row down.
 */
export function useAlarmsBelow(underId?: string): AlarmsBelow {
  const { moment } = useMoment();
  const past = isPast(moment);
  const under = underId === undefined ? {} : { underId };
  const open = useApi(OPEN, { filter: past ? { ...under, openAt: textOf(moment.at) } : { ...under, states: ["OPEN", "ACKNOWLEDGED"] } }, { keep: true, staleMs: 15_000 });
  const alarms = open.data?.events.nodes;
  const ids = useMemo(() => [...new Set((alarms ?? []).map((alarm) => alarm.entity.id))].sort(), [alarms]);
  const coordinates = coordinatesOf(moment);
  const above = useApi(
    ABOVE,
    { ids, steps: STEPS, asOf: coordinates.asOf ?? null, knownAt: coordinates.knownAt ?? null },
    { enabled: ids.length > 0, keep: true, staleMs: 60_000 },
  );
  const { refetch } = open;
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  useEffect(() => onReopened(() => void refetch()), [refetch]);
  useLive(CHANGED, past ? null : { filter: under }, () => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      void refetch();
    }, TOGETHER_MS);
  });
  const edges = above.data?.traverse.edges;
  const counts = useMemo(() => alarmsBelow(alarms ?? [], edges ?? []), [alarms, edges]);
  return {
    counts,
    isPartial: (open.data?.events.pageInfo.hasNextPage ?? false) || (above.data?.traverse.truncated ?? false),
    isLoading: open.data === undefined && open.error === null,
    faults: [...(open.error?.faults ?? open.faults), ...(above.error?.faults ?? above.faults)],
  };
}
