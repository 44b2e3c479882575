import { QueryClient, type UseQueryResult, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { useMomentKey } from "../time/useMoment";
import type { TypedDocumentString } from "./gen/graphql";
import { type Answer, type Fault, RequestError, request } from "./request";

/**
 * The cache of answers, by document and variables.
 *
 * Not normalized by object: an entity's own fields take no `asOf`, so an answer about last Tuesday would overwrite
 * today's.
 */
export const answers = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      refetchOnWindowFocus: false,
      retry: (failures, error) => failures < 2 && error instanceof RequestError && (error.status === 0 || error.status === 503),
      retryDelay: (failures) => 500 * 2 ** failures,
    },
  },
});

type Query<T> = Pick<UseQueryResult<Answer<T>, Error>, "isFetching" | "isPlaceholderData" | "refetch" | "dataUpdatedAt"> & {
  data: T | undefined;
  faults: Fault[];
  error: RequestError | null;
  /** When the request of this answer was sent, by the page's clock that never goes back; 0: none arrived. */
  sentAt: number;
};

/**
 * Whether to show the answer to the previous variables until the new one arrives.
 *
 * true: as long as the time bar shows the same moment. A function decides by the previous variables, at any moment: what
 * depends on the moment is then left out while `isPlaceholderData`.
 */
export type Keep<V> = boolean | ((before: V) => boolean);

type Options<V> = { enabled?: boolean; keep?: Keep<V>; refetchMs?: number; staleMs?: number };

/**
 * Request a document's answer, from the cache where it is fresh.
 *
 * keep: show the answer to the previous variables until the new one arrives; `isPlaceholderData` says so.
 */
export function useApi<T, V>(document: TypedDocumentString<T, V>, variables: V, options: Options<V> = {}): Query<T> {
  const placeholder = usePlaceholder<Answer<T>, V>(options.keep);
  const result = useQuery<Answer<T>, Error, Answer<T>, readonly unknown[]>({
    queryKey: [document.toString(), variables],
    queryFn: ({ signal }) => request(document, variables, signal),
    enabled: options.enabled ?? true,
    placeholderData: placeholder.select,
    ...(options.refetchMs ? { refetchInterval: options.refetchMs } : {}),
    ...(options.staleMs === undefined ? {} : { staleTime: options.staleMs }),
  });
  useShownMoment(placeholder, result);
  return {
    data: result.data?.data,
    faults: result.data?.faults ?? [],
    error: result.error as RequestError | null,
    isFetching: result.isFetching,
    isPlaceholderData: result.isPlaceholderData,
    refetch: result.refetch,
    dataUpdatedAt: result.dataUpdatedAt,
    sentAt: result.data?.sentAt ?? 0,
  };
}

/** Which previous answer may be shown until the new one arrives. */
export function usePlaceholder<A, V>(keep: Keep<V> | undefined) {
  const moment = useMomentKey();
  // The moment at which an answer was shown last.
  const shown = useRef(moment);
  const select = (previous: A | undefined, query: { queryKey: readonly unknown[] } | undefined): A | undefined =>
    query !== undefined && staysShown(keep, query.queryKey[1] as V, shown.current === moment) ? previous : undefined;
  return { select, shown, moment };
}

/** Remember at which moment an answer was shown. */
export function useShownMoment(placeholder: Pick<ReturnType<typeof usePlaceholder>, "shown" | "moment">, result: { isSuccess: boolean; isPlaceholderData: boolean }): void {
  const { shown, moment } = placeholder;
  const isOwn = result.isSuccess && !result.isPlaceholderData;
  useEffect(() => {
    if (isOwn) shown.current = moment;
  }, [isOwn, shown, moment]);
}

/** Return whether the answer to the previous variables may still be shown. */
export function staysShown<V>(keep: Keep<V> | undefined, before: V, isSameMoment: boolean): boolean {
  return typeof keep === "function" ? keep(before) : keep === true && isSameMoment;
}

/** What every payload has: errors that the caller can fix. */
type Payload = { errors: readonly { code: string; message: string; path: readonly string[] }[] };

export type Change<V, P> = {
  run: (variables: V) => Promise<P>;
  isRunning: boolean;
  faults: Fault[];
  reset: () => void;
};

/**
 * Send a mutation. What it refuses is in `faults`, and `run` rejects; afterwards every answer counts as old.
 *
 * `payloadOf` picks the payload out of the answer.
 */
export function useChange<T, V, P extends Payload>(
  document: TypedDocumentString<T, V>,
  payloadOf: (data: T) => P,
): Change<V, P> {
  const client = useQueryClient();
  const mutation = useMutation({
    mutationFn: async (variables: V): Promise<P> => {
      const answer = await request(document, variables);
      const payload = payloadOf(answer.data);
      const refused: Fault[] = payload.errors.map((error) => ({ ...error }));
      if (refused.length > 0) throw new RequestError(refused, 200);
      return payload;
    },
    onSuccess: () => client.invalidateQueries(),
  });
  return {
    run: mutation.mutateAsync,
    isRunning: mutation.isPending,
    faults: mutation.error === null ? [] : (mutation.error as RequestError).faults ?? [{ code: "INTERNAL", message: String(mutation.error), path: [] }],
    reset: mutation.reset,
  };
}
