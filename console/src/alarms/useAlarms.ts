import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { graphql } from "../api/gen";
import type { EventFilter } from "../api/gen/graphql";
import { usePages } from "../api/hooks";
import { onReopened, useLive } from "../api/live";
import type { Fault, RequestError } from "../api/request";
import { now, textOf } from "../time/instant";
import { isPast } from "../time/moment";
import { useMoment } from "../time/useMoment";
import { type Alarm, belongs, type View } from "./alarm";
import { arrange } from "./arrange";
import { asSeen, wasOpen } from "./past";
import { type Shelf, withShelves } from "./shelves";

const ALARMS = graphql(`
  query Alarms($filter: EventFilter!, $first: Int!, $after: String, $past: Boolean!) {
    events(filter: $filter, first: $first, after: $after) {
      totalCount
      nodes {
        ...AlarmRow
        corrections @include(if: $past) {
          recordedAt
          before
          after
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

const ALARM_UPDATES = graphql(`
  subscription AlarmUpdates($filter: EventFilter!) {
    events(filter: $filter) {
      ...AlarmRow
    }
  }
`);

// What comes is applied at most so often: a flood costs one drawing a second.
const TOGETHER_MS = 1_000;
const PAGE = 200;
const NO_SHELVES: readonly Shelf[] = [];
// So many updates are held beside the answer; then it is requested again.
const UPDATES_MAX = 5_000;

export type AlarmsInList = {
  alarms: Alarm[];
  waiting: number;
  /** Show what waits, in its right order. */
  showWaiting: () => void;
  total: number | null;
  loaded: number;
  hasMore: boolean;
  loadMore: () => void;
  isLoading: boolean;
  error: RequestError | null;
  faults: Fault[];
  refetch: () => void;
};

/**
 * The alarms of a filter, live; in the past those open at the moment, as they were.
 *
 * One request a page, and one subscription. isHeld: nothing that is shown may move now.
 */
export function useAlarms(filter: EventFilter, view: View, isHeld: boolean, shelves: readonly Shelf[] = NO_SHELVES): AlarmsInList {
  const { moment } = useMoment();
  const past = isPast(moment);
  const requested: EventFilter = past ? { ...filter, states: null, openAt: textOf(moment.at) } : filter;
  const pages = usePages(ALARMS, { filter: requested, first: PAGE, past }, (data) => data.events, { keep: true });
  const [updates, setUpdates] = useState<ReadonlyMap<string, Alarm>>(new Map());
  const [faults, setFaults] = useState<Fault[]>([]);
  const buffer = useRef(new Map<string, Alarm>());
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const { refetch } = pages;

  const filterKey = JSON.stringify(requested);
  useEffect(() => {
    buffer.current.clear();
    setUpdates(new Map());
  }, [filterKey]);
  useEffect(() => () => clearTimeout(timer.current), []);
  useEffect(() => onReopened(refetch), [refetch]);

  // States and severities change while an alarm lives, so the subscription is not narrowed by them.
  const live: EventFilter = { entityIds: filter.entityIds ?? null, underId: filter.underId ?? null, ruleIds: filter.ruleIds ?? null };
  useLive(
    ALARM_UPDATES,
    past ? null : { filter: live },
    ({ events }) => {
      buffer.current.set(events.id, events);
      timer.current ??= setTimeout(() => {
        timer.current = undefined;
        const batch = buffer.current;
        buffer.current = new Map();
        setUpdates((before) => {
          if (before.size + batch.size > UPDATES_MAX) {
            refetch();
            return batch;
          }
          return new Map([...before, ...batch]);
        });
      }, TOGETHER_MS);
    },
    { onFaults: setFaults },
  );

  const order = useRef<{ key: string; ids: string[] }>({ key: "", ids: [] });
  const [shownAt, setShownAt] = useState(0);
  const released = useRef(0);
  const key = `${filterKey} ${view} ${moment.mode}`;
  const at = past ? moment.at : now();
  const { shown, waiting } = useMemo(() => {
    const all = new Map<string, Alarm>();
    if (past) {
      for (const node of pages.nodes) {
        if (!wasOpen(node, moment)) continue;
        const alarm = asSeen(node, moment);
        if (filter.states == null || filter.states.includes(alarm.state)) all.set(alarm.id, alarm);
      }
    } else {
      for (const node of pages.nodes) all.set(node.id, node);
      for (const [id, alarm] of updates) all.set(id, newer(all.get(id), alarm));
    }
    if (shelves.length > 0) for (const [id, alarm] of all) all.set(id, withShelves(alarm, shelves));
    const isFrozen = isHeld && order.current.key === key && order.current.ids.length > 0 && released.current === shownAt;
    released.current = shownAt;
    return arrange(all, (alarm) => belongs(alarm, past ? { ...filter, states: null } : filter, view, at), order.current.ids, isFrozen);
    // `at` moves all the time and matters only to the view of the forgotten, which is looked at by hours.
  }, [pages.nodes, updates, isHeld, key, shownAt, past, shelves]);
  useEffect(() => {
    // While another filter's alarms are still shown, nothing of this one has a place to hold.
    order.current = { key: pages.isPlaceholder ? "" : key, ids: shown.map((alarm) => alarm.id) };
  }, [key, shown, pages.isPlaceholder]);

  return {
    alarms: shown,
    waiting,
    showWaiting: useCallback(() => setShownAt((count) => count + 1), []),
    total: pages.totalCount,
    loaded: pages.nodes.length,
    hasMore: pages.hasMore,
    loadMore: pages.loadMore,
    isLoading: pages.isLoading,
    error: pages.error,
    faults,
    refetch,
  };
}

/** Of two states of one alarm, the one that is further on: an answer and an update cross on their ways. */
function newer(answer: Alarm | undefined, update: Alarm): Alarm {
  if (answer === undefined) return update;
  const progress = (alarm: Alarm) =>
    [alarm.acknowledgedAt, alarm.dismissedAt, alarm.clearedAt, alarm.withdrawnAt].filter((instant) => Boolean(instant)).length;
  return progress(answer) > progress(update) ? answer : update;
}
