import { type InfiniteData, type UseInfiniteQueryResult, useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { TypedDocumentString } from "./gen/graphql";
import { usePlaceholder, useShownMoment } from "./hooks";
import { type Answer, type Fault, type RequestError, request } from "./request";

/** A page of a connection. */
type Page<N> = {
  nodes: readonly N[];
  pageInfo: { hasNextPage: boolean; endCursor?: string | null };
  totalCount?: number;
};

/** What is loaded of a list, and how to load more of it. */
type Paging = {
  /** Whether the API has more than is loaded. */
  hasMore: boolean;
  isFetching: boolean;
  isLoading: boolean;
  /** Whether these are still the pages of the variables before. */
  isPlaceholder: boolean;
  /** Why there is nothing to show. What failed beside pages that are shown is in `faults`. */
  error: RequestError | null;
  /** What failed: a part of a page, the next page, or a refresh of those that are shown. */
  faults: Fault[];
  /** Load the next page, unless anything is loading. */
  loadMore: () => void;
  /** The same without being told to, as when the end of a list comes near; not after the next page failed. */
  readAhead: () => void;
  /** Repeat what failed: the next page, or all that are loaded. */
  retry: () => void;
  refetch: () => void;
};

export type Pages<N, T = unknown> = Paging & {
  nodes: N[];
  /** The answer that holds the first page, with what was requested beside it. */
  first: T | undefined;
  totalCount: number | null;
};

type Result<T> = Pick<
  UseInfiniteQueryResult<{ pages: Answer<T>[] }, Error>,
  | "data"
  | "error"
  | "hasNextPage"
  | "isFetching"
  | "isLoading"
  | "isPlaceholderData"
  | "isFetchNextPageError"
  | "fetchNextPage"
  | "refetch"
>;

type Options = { enabled?: boolean; keep?: boolean; staleMs?: number };

/** Request a connection page by page; `pageOf` selects it from the answer, `variables` gets `after`. */
export function usePages<T, V extends { after?: unknown }, N>(
  document: TypedDocumentString<T, V>,
  variables: V,
  pageOf: (data: T) => Page<N> | null | undefined,
  options: Options = {},
): Pages<N, T> {
  const placeholder = usePlaceholder<InfiniteData<Answer<T>, string | null>, V>(options.keep);
  const result = useInfiniteQuery<Answer<T>, Error, InfiniteData<Answer<T>, string | null>, readonly unknown[], string | null>({
    queryKey: [document.toString(), variables, "pages"],
    queryFn: ({ pageParam, signal }) => request(document, { ...variables, after: pageParam }, signal),
    initialPageParam: null,
    getNextPageParam: (last) => {
      const page = pageOf(last.data);
      return page?.pageInfo.hasNextPage ? (page.pageInfo.endCursor ?? null) : null;
    },
    enabled: options.enabled ?? true,
    placeholderData: placeholder.select,
    ...(options.staleMs === undefined ? {} : { staleTime: options.staleMs }),
  });
  useShownMoment(placeholder, result);
  const pages = result.data?.pages;
  const nodes = useMemo(() => (pages ?? []).flatMap((page) => [...(pageOf(page.data)?.nodes ?? [])]), [pages]);
  const first = pages?.[0];
  return {
    ...pagingOf(result),
    nodes,
    first: first?.data,
    totalCount: first === undefined ? null : (pageOf(first.data)?.totalCount ?? null),
  };
}

/**
 * Return how a list is loaded further.
 *
 * The next page is requested only while nothing else is: it would cancel a refresh that is under way, and the older pages
 * would stay. One that failed is not requested again by itself, and what is loaded stays.
 */
export function pagingOf<T>(result: Result<T>): Paging {
  const error = result.error as RequestError | null;
  const pages = result.data?.pages;
  const canLoad = result.hasNextPage && !result.isFetching && !result.isPlaceholderData;
  // Where a request is under way nevertheless, it is not cancelled.
  const load = () => void result.fetchNextPage({ cancelRefetch: false });
  return {
    hasMore: result.hasNextPage,
    isFetching: result.isFetching,
    isLoading: result.isLoading,
    isPlaceholder: result.isPlaceholderData,
    error: pages === undefined ? error : null,
    faults: [...(pages ?? []).flatMap((page) => page.faults), ...(pages === undefined ? [] : (error?.faults ?? []))],
    loadMore: () => {
      if (canLoad) load();
    },
    readAhead: () => {
      if (canLoad && !result.isFetchNextPageError) load();
    },
    retry: () => {
      if (result.isFetchNextPageError) load();
      else void result.refetch();
    },
    refetch: () => void result.refetch(),
  };
}
