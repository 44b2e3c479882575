import { useCallback, useEffect } from "react";
import type { TypedDocumentString } from "../api/gen/graphql";
import { useApi } from "../api/hooks";
import type { Fault } from "../api/request";
import { isPast } from "../time/moment";
import { useMoment } from "../time/useMoment";
import { useDetails } from "../ui/details";

type Request<T, V, D> = {
  document: TypedDocumentString<T, V>;
  variables: V;
  /** Whether there are rows to ask about. */
  enabled: boolean;
  /** Returns what an answer says of each row, by its id. */
  detailsOf: (data: T) => ReadonlyMap<string, D>;
  staleMs: number;
  /** How often they are requested again while live. */
  refetchMs: number;
};

type RowDetails<D> = {
  details: ReadonlyMap<string, D>;
  /** Lay what was pushed of a row over what is known of it. */
  push: (id: string, detail: D) => void;
  refetch: () => unknown;
  faults: Fault[];
};

/**
 * Details of the rows in view, at the moment shown: one request for all of them.
 *
 * Rows that leave the view and come back show what is known of them until the next answer.
 */
export function useRowDetails<T, V, D extends object>(request: Request<T, V, D>): RowDetails<D> {
  const { moment } = useMoment();
  const key = JSON.stringify(moment);
  const { details, add } = useDetails<D>(key);
  const { document, variables, enabled, detailsOf, staleMs, refetchMs } = request;
  const answer = useApi(document, variables, { enabled, staleMs, ...(isPast(moment) ? {} : { refetchMs }) });
  const { data, sentAt, refetch } = answer;
  useEffect(() => {
    if (data !== undefined) add(key, detailsOf(data), sentAt);
  }, [data, sentAt, key, add, detailsOf]);
  const push = useCallback((id: string, detail: D) => add(key, new Map([[id, detail]]), performance.now()), [key, add]);
  return { details, push, refetch, faults: [...(answer.error?.faults ?? []), ...answer.faults] };
}
