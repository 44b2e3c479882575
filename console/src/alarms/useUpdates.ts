import { hashKey, notifyManager, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { graphql } from "../api/gen";
import type { AlarmsQuery, EventFilter } from "../api/gen/graphql";
import { useLive } from "../api/live";
import type { Fault } from "../api/request";
import { type Update, type Updates, unanswered } from "./updates";

const ALARM_UPDATES = graphql(`
  subscription AlarmUpdates($filter: EventFilter!) {
    events(filter: $filter) {
      ...AlarmRow
    }
  }
`);

// What comes is applied at most so often: a flood costs one drawing a second.
const TOGETHER_MS = 1_000;
// So many updates are held beside the answer; then it is requested again, which replaces them.
const UPDATES_MAX = 5_000;
const NONE: Updates = new Map();

type Pages = { pages: readonly { data: AlarmsQuery }[] };
/** The list whose updates are followed; filter null: none are. Its answer is that of `document` to the filter `requested`. */
type List = { filter: EventFilter | null; document: string; requested: EventFilter; refetch: () => void };

/** The alarms that were pushed and that no answer requested since has replaced. */
export function useUpdates({ filter, document, requested, refetch }: List): { updates: Updates; faults: Fault[] } {
  const client = useQueryClient();
  const [updates, setUpdates] = useState<Updates>(NONE);
  const [faults, setFaults] = useState<Fault[]>([]);
  const buffer = useRef(new Map<string, Update>());
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const flush = () => {
    clearTimeout(timer.current);
    timer.current = undefined;
    const batch = buffer.current;
    if (batch.size === 0) return;
    buffer.current = new Map();
    setUpdates((before) => new Map([...before, ...batch]));
  };

  const key = hashKey([requested]);
  useEffect(() => {
    buffer.current.clear();
    setUpdates(NONE);
    // When the request was sent whose answer the pages are, and that of the one under way.
    let answeredAt = Number.NEGATIVE_INFINITY;
    let sentAt = Number.NEGATIVE_INFINITY;
    const isOfList = (queryKey: readonly unknown[]) =>
      queryKey[0] === document && hashKey([(queryKey[1] as { filter?: EventFilter } | undefined)?.filter]) === key;
    const stop = client.getQueryCache().subscribe((event) => {
      if (event.type !== "updated" || !isOfList(event.query.queryKey)) return;
      const { action } = event;
      if (action.type === "fetch") {
        // A further page says nothing of the pages before it; what was sent before and failed says nothing of any.
        const isFurther = action.meta?.fetchMore !== undefined;
        sentAt = isFurther ? answeredAt : performance.now();
        if (!isFurther) flush();
      }
      if (action.type !== "success" || sentAt === Number.NEGATIVE_INFINITY) return;
      answeredAt = sentAt;
      const pages = (event.query.state.data as Pages | undefined)?.pages ?? [];
      const nodes = pages.flatMap((page) => page.data.events.nodes);
      const isComplete = pages.at(-1)?.data.events.pageInfo.hasNextPage === false;
      const requestedAt = answeredAt;
      // With the answer, not before it.
      notifyManager.schedule(() =>
        setUpdates((before) => unanswered(before, nodes, isComplete || before.size > UPDATES_MAX, requestedAt)),
      );
    });
    return () => {
      stop();
      clearTimeout(timer.current);
      timer.current = undefined;
    };
  }, [client, document, key]);
  const isTooMany = updates.size > UPDATES_MAX;
  const refetchNow = useRef(refetch);
  refetchNow.current = refetch;
  useEffect(() => {
    if (isTooMany) refetchNow.current();
  }, [isTooMany]);

  // States and severities change while an alarm lives, so the subscription is not narrowed by them.
  const live = filter && { entityIds: filter.entityIds ?? null, underId: filter.underId ?? null, ruleIds: filter.ruleIds ?? null };
  useLive(
    ALARM_UPDATES,
    live && { filter: live },
    ({ events }) => {
      buffer.current.set(events.id, { alarm: events, at: performance.now() });
      timer.current ??= setTimeout(flush, TOGETHER_MS);
    },
    { onFaults: setFaults },
  );
  return { updates, faults };
}
