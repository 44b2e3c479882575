import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { graphql } from "../../api/gen";
import { type Fault, request, type RequestError } from "../../api/request";
import { pagingOf } from "../../api/usePages";
import { textOf } from "../../time/instant";
import { coordinatesOf } from "../../time/moment";
import { useMoment } from "../../time/useMoment";
import type { HubKind } from "../list/hubFilter";
import type { TreeNode } from "./branches";

const ROOTS = graphql(`
  query TreeRoots(
    $filter: EntityFilter
    $kinds: [EntityKind!]!
    $asOf: DateTime
    $knownAt: DateTime
    $hasSpaces: Boolean!
    $hasAssets: Boolean!
    $afterSpaces: String
    $afterAssets: String
  ) {
    spaces(filter: $filter, orderBy: CREATED_ASC, first: 200, after: $afterSpaces) @include(if: $hasSpaces) {
      totalCount
      nodes {
        id
        kind
        name
        type
        parents(asOf: $asOf, knownAt: $knownAt) {
          id
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
    assets(filter: $filter, orderBy: CREATED_ASC, first: 200, after: $afterAssets) @include(if: $hasAssets) {
      totalCount
      nodes {
        id
        kind
        name
        type
        parents(asOf: $asOf, knownAt: $knownAt) {
          id
        }
        places: related(relationships: ["LOCATED_IN"], asOf: $asOf, knownAt: $knownAt, first: 1) {
          nodes {
            id
          }
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
    newest: entities(filter: { kinds: $kinds }, orderBy: CREATED_DESC, first: 1) {
      nodes {
        createdAt
      }
    }
  }
`);

/** Where each list goes on: null: at its beginning; absent: it is whole. */
type Next = { spaces?: string | null; assets?: string | null };

export type TreeRoots = {
  roots: TreeNode[];
  /** When the newest entity was created that was there when they were loaded; null: none; undefined: not loaded yet. */
  newestAt: string | null | undefined;
  isLoading: boolean;
  error: RequestError | null;
  faults: Fault[];
  /** Of what was not looked through for roots yet; 0: all was. */
  unseen: number;
  seeMore: () => void;
  retry: () => void;
  refetch: () => void;
};

/** What is in nothing at the moment shown: spaces, and in a tree of assets also assets without a whole or a place. */
export function useTreeRoots(kind: HubKind): TreeRoots {
  const { moment } = useMoment();
  const coordinates = coordinatesOf(moment);
  // What was not recorded yet had no parents either: it is no root of what was believed then.
  const filter = moment.mode === "seen" ? { createdTo: textOf(moment.at + 1) } : null;
  const variables = { filter, kinds: kind === "ASSET" ? ["SPACE" as const, "ASSET" as const] : ["SPACE" as const], ...coordinates };
  const first: Next = kind === "ASSET" ? { spaces: null, assets: null } : { spaces: null };
  const result = useInfiniteQuery({
    queryKey: [ROOTS.toString(), variables, "pages"],
    queryFn: ({ pageParam: next, signal }) =>
      request(
        ROOTS,
        {
          ...variables,
          hasSpaces: next.spaces !== undefined,
          hasAssets: next.assets !== undefined,
          afterSpaces: next.spaces ?? null,
          afterAssets: next.assets ?? null,
        },
        signal,
      ),
    initialPageParam: first,
    getNextPageParam: ({ data }): Next | null => {
      const spaces = data.spaces?.pageInfo.hasNextPage ? data.spaces.pageInfo.endCursor : undefined;
      const assets = data.assets?.pageInfo.hasNextPage ? data.assets.pageInfo.endCursor : undefined;
      return spaces || assets ? { ...(spaces ? { spaces } : {}), ...(assets ? { assets } : {}) } : null;
    },
    staleTime: 30_000,
  });
  const paging = pagingOf(result);
  const pages = result.data?.pages;
  const roots = useMemo(() => {
    const spaces = (pages ?? []).flatMap(({ data }) => data.spaces?.nodes ?? []).filter((node) => (node.parents ?? []).length === 0);
    const assets = (pages ?? [])
      .flatMap(({ data }) => data.assets?.nodes ?? [])
      .filter((node) => (node.parents ?? []).length === 0 && (node.places?.nodes ?? []).length === 0);
    return [...spaces, ...assets];
  }, [pages]);
  const total = (pages?.[0]?.data.spaces?.totalCount ?? 0) + (pages?.[0]?.data.assets?.totalCount ?? 0);
  const seen = (pages ?? []).reduce((sum, { data }) => sum + (data.spaces?.nodes.length ?? 0) + (data.assets?.nodes.length ?? 0), 0);
  return {
    roots,
    newestAt: pages === undefined ? undefined : (pages[0]?.data.newest.nodes[0]?.createdAt ?? null),
    isLoading: paging.isLoading,
    error: paging.error,
    faults: paging.faults,
    unseen: paging.hasMore ? Math.max(0, total - seen) : 0,
    seeMore: paging.loadMore,
    retry: paging.retry,
    refetch: paging.refetch,
  };
}
