import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { graphql } from "../api/gen";
import type { AlarmsQuery, EventFilter } from "../api/gen/graphql";
import { usePages } from "../api/usePages";
import { onReopened } from "../api/live";
import type { Fault, RequestError } from "../api/request";
import { now, textOf } from "../time/instant";
import { isPast, type Moment } from "../time/moment";
import { useMoment } from "../time/useMoment";
import { type Alarm, belongs, type View } from "./alarm";
import { arrange } from "./arrange";
import { asSeen, wasOpen } from "./past";
import { type Shelf, withShelves } from "./shelves";
import { withUpdates } from "./updates";
import { useUpdates } from "./useUpdates";

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

const PAGE = 200;
const NO_SHELVES: readonly Shelf[] = [];

type AlarmsInList = {
  alarms: Alarm[];
  /** Ids of those that keep their place although they no longer belong to the list. */
  gone: ReadonlySet<string>;
  waiting: number;
  /** Show what waits, in its right order. */
  showWaiting: () => void;
  total: number | null;
  loaded: number;
  hasMore: boolean;
  readAhead: () => void;
  isLoading: boolean;
  error: RequestError | null;
  faults: Fault[];
  retry: () => void;
};

/**
 * The alarms of a filter, live; in the past those open at the moment, as they were.
 *
 * One request a page, and one subscription. isFrozen: nothing that is shown may move now.
 */
export function useAlarms(filter: EventFilter, view: View, isFrozen: boolean, shelves: readonly Shelf[] = NO_SHELVES): AlarmsInList {
  const { moment } = useMoment();
  const past = isPast(moment);
  const requested: EventFilter = past ? { ...filter, states: null, openAt: textOf(moment.at) } : filter;
  const pages = usePages(ALARMS, { filter: requested, first: PAGE, past }, (data) => data.events, { keep: true });
  const { refetch } = pages;
  const { updates, faults } = useUpdates({ filter: past ? null : filter, document: ALARMS.toString(), requested, refetch });
  useEffect(() => onReopened(refetch), [refetch]);

  // What is shown now, and of which list: the filter too where it does not reach the API, as states in the past.
  const last = useRef<{ key: string; alarms: readonly Alarm[] }>({ key: "", alarms: [] });
  const [shownAt, setShownAt] = useState(0);
  const released = useRef(0);
  const key = JSON.stringify([filter, view, moment]);
  const at = past ? moment.at : now();
  const { shown, waiting, gone } = useMemo(() => {
    const all = past ? wereOpen(pages.nodes, filter, moment) : withUpdates(pages.nodes, updates);
    if (shelves.length > 0) for (const [id, alarm] of all) all.set(id, withShelves(alarm, shelves));
    const keepsOrder = isFrozen && last.current.key === key && last.current.alarms.length > 0 && released.current === shownAt;
    released.current = shownAt;
    return arrange(all, (alarm) => belongs(alarm, past ? { ...filter, states: null } : filter, view, at), last.current.alarms, keepsOrder);
    // `at` moves all the time and matters only to the view of the forgotten, which is looked at by hours.
  }, [pages.nodes, updates, isFrozen, key, shownAt, shelves]);
  useEffect(() => {
    // While another filter's alarms are still shown, nothing of this one has a place to hold.
    last.current = { key: pages.isPlaceholder ? "" : key, alarms: shown };
  }, [key, shown, pages.isPlaceholder]);

  return {
    alarms: shown,
    gone,
    waiting,
    showWaiting: useCallback(() => setShownAt((count) => count + 1), []),
    total: pages.totalCount,
    loaded: pages.nodes.length,
    hasMore: pages.hasMore,
    readAhead: pages.readAhead,
    isLoading: pages.isLoading,
    error: pages.error,
    faults: [...pages.faults, ...faults],
    retry: pages.retry,
  };
}

/** Return the alarms that were open at a moment, as they were, of the filter's states. */
function wereOpen(nodes: AlarmsQuery["events"]["nodes"], filter: EventFilter, moment: Moment): Map<string, Alarm> {
  const alarms = new Map<string, Alarm>();
  for (const node of nodes) {
    if (!isPast(moment) || !wasOpen(node, moment)) continue;
    const alarm = asSeen(node, moment);
    if (filter.states == null || filter.states.includes(alarm.state)) alarms.set(alarm.id, alarm);
  }
  return alarms;
}
