import {
  keepPreviousData,
  QueryClient,
  type UseQueryResult,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { useMemo } from "react";
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

export type Query<T> = Pick<UseQueryResult<Answer<T>, Error>, "isFetching" | "isPlaceholderData" | "refetch" | "dataUpdatedAt"> & {
  data: T | undefined;
  faults: Fault[];
  error: RequestError | null;
};

type Options = { enabled?: boolean; keep?: boolean; refetchMs?: number; staleMs?: number };

/**
 * Ask a document's answer, from the cache where it is fresh.
 *
 * keep: show the answer to the variables before until the new one is there; `isPlaceholderData` says so.
 */
export function useApi<T, V>(document: TypedDocumentString<T, V>, variables: V, options: Options = {}): Query<T> {
  const result = useQuery({
    queryKey: [document.toString(), variables],
    queryFn: ({ signal }) => request(document, variables, signal),
    enabled: options.enabled ?? true,
    ...(options.keep ? { placeholderData: keepPreviousData } : {}),
    ...(options.refetchMs ? { refetchInterval: options.refetchMs } : {}),
    ...(options.staleMs === undefined ? {} : { staleTime: options.staleMs }),
  });
  return {
    data: result.data?.data,
    faults: result.data?.faults ?? [],
    error: result.error as RequestError | null,
    isFetching: result.isFetching,
    isPlaceholderData: result.isPlaceholderData,
    refetch: result.refetch,
    dataUpdatedAt: result.dataUpdatedAt,
  };
}

export type Page<N> = {
  nodes: readonly N[];
  pageInfo: { hasNextPage: boolean; endCursor?: string | null };
  totalCount?: number;
};

export type Pages<N, T = unknown> = {
  nodes: N[];
  /** The answer of which the first page is: what was asked beside it. */
  first: T | undefined;
  totalCount: number | null;
  hasMore: boolean;
  isFetching: boolean;
  isLoading: boolean;
  /** Whether these are still the pages of the variables before. */
  isPlaceholder: boolean;
  error: RequestError | null;
  /** What failed in part, in any of the pages. */
  faults: Fault[];
  loadMore: () => void;
  refetch: () => void;
};

/** Ask a connection page by page; `pageOf` picks it out of the answer, `variables` gets `after`. */
export function usePages<T, V extends { after?: unknown }, N>(
  document: TypedDocumentString<T, V>,
  variables: V,
  pageOf: (data: T) => Page<N> | null | undefined,
  options: Options = {},
): Pages<N, T> {
  const result = useInfiniteQuery({
    queryKey: [document.toString(), variables, "pages"],
    queryFn: ({ pageParam, signal }) => request(document, { ...variables, after: pageParam }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => {
      const page = pageOf(last.data);
      return page?.pageInfo.hasNextPage ? (page.pageInfo.endCursor ?? null) : null;
    },
    enabled: options.enabled ?? true,
    ...(options.keep ? { placeholderData: keepPreviousData } : {}),
    ...(options.staleMs === undefined ? {} : { staleTime: options.staleMs }),
  });
  const pages = result.data?.pages;
  const nodes = useMemo(() => (pages ?? []).flatMap((page) => [...(pageOf(page.data)?.nodes ?? [])]), [pages]);
  const first = pages?.[0];
  return {
    nodes,
    first: first?.data,
    totalCount: first === undefined ? null : (pageOf(first.data)?.totalCount ?? null),
    hasMore: result.hasNextPage,
    isFetching: result.isFetching,
    isLoading: result.isLoading,
    isPlaceholder: result.isPlaceholderData,
    error: result.error as RequestError | null,
    faults: (pages ?? []).flatMap((page) => page.faults),
    loadMore: () => {
      if (result.hasNextPage && !result.isFetchingNextPage) void result.fetchNextPage();
    },
    refetch: () => void result.refetch(),
  };
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
