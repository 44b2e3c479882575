import { useEffect, useRef } from "react";
import { graphql } from "../api/gen";
import { onReopened, useLive } from "../api/live";
import { isPast } from "../time/moment";
import { useMoment } from "../time/useMoment";

const CHANGED = graphql(`
  subscription RowsChanged($ids: [ID!]!) {
    entityChanged(ids: $ids) {
      id
      name
      type
      status
      deletedAt
    }
  }
`);

const ALARMS = graphql(`
  subscription RowsAlarmed($filter: EventFilter!) {
    events(filter: $filter) {
      id
    }
  }
`);

const TOGETHER_MS = 1_000;

/** What a change of an entity says of its row. */
export type ChangedRow = { name: string; type: string | null; status: string; isDeleted: boolean };

/** Ask again, once for all within a second, when an alarm at one of the rows in view opens or clears while live. */
export function useAlarmedRows(ids: readonly string[], refetch: () => unknown): () => void {
  const { moment } = useMoment();
  const isFollowed = !isPast(moment) && ids.length > 0;
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const latest = useRef(refetch);
  latest.current = refetch;
  const soon = useRef(() => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      void latest.current();
    }, TOGETHER_MS);
  }).current;
  useEffect(() => () => clearTimeout(timer.current), []);
  useLive(ALARMS, isFollowed ? { filter: { entityIds: [...ids] } } : null, soon);
  useEffect(() => (isFollowed ? onReopened(() => void latest.current()) : undefined), [isFollowed]);
  return soon;
}

/**
 * Follow the rows in view while live: `onChange` gets their own fields as they change.
 *
 * What no change announces (edges, health, alarms) is requested again by `refetch`: when an alarm at a row opens or
 * clears, when an entity changes, and once the socket is there again after it was lost.
 */
export function useChangedRows(ids: readonly string[], onChange: (id: string, row: ChangedRow) => void, refetch: () => unknown): void {
  const { moment } = useMoment();
  const soon = useAlarmedRows(ids, refetch);
  useLive(CHANGED, !isPast(moment) && ids.length > 0 ? { ids: [...ids] } : null, ({ entityChanged }) => {
    const { id, name, type, status, deletedAt } = entityChanged;
    onChange(id, { name, type: type ?? null, status, isDeleted: Boolean(deletedAt) });
    soon();
  });
}
