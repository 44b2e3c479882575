import { useEffect, useMemo } from "react";
import { graphql } from "../api/gen";
import type { EntityEdgeHistoryQuery } from "../api/gen/graphql";
import { usePages } from "../api/usePages";
import type { Fault } from "../api/request";
import type { EdgeVersion } from "../time/holds";
import { useRefetchOnEdges } from "./useRefetchOnEdges";
import { versionsOf } from "./versions";

const HISTORY = graphql(`
  query EntityEdgeHistory($id: ID!, $relationships: [String!], $after: String) {
    node(id: $id) {
      id
      ... on Entity {
        edgeHistory(relationships: $relationships, first: 500, after: $after) {
          totalCount
          nodes {
            id
            edgeId
            relationship
            port
            exclusive
            metadata
            validFrom
            validUntil
            recordedAt
            retractedAt
            source {
              id
              kind
              name
              type
            }
            target {
              id
              kind
              name
              type
            }
          }
          pageInfo {
            hasNextPage
            endCursor
          }
        }
      }
    }
  }
`);

// So many are loaded by themselves, what is beyond on demand.
const LOADED_MOST = 5_000;

type Node = NonNullable<EntityEdgeHistoryQuery["node"]>;
type Connection = NonNullable<Extract<Node, { edgeHistory?: unknown }>["edgeHistory"]>;
/** A version of an edge with its ends, as it was recorded. */
type EdgeRecord = Connection["nodes"][number];
/** The same with its instants as numbers. */
export type VersionRecord = EdgeVersion & { edge: EdgeRecord };
type EdgeEnd = EdgeRecord["source"];

export type EdgeHistory = {
  versions: VersionRecord[];
  total: number;
  isLoading: boolean;
  /** Loads the next page, where there is one that does not come by itself. */
  loadMore: (() => void) | null;
  faults: Fault[];
  retry: () => void;
};

/**
 * The versions of the edges at an entity, once, the newest first; what is true at a moment is chosen from them without a
 * request. All of them, page by page, up to a few thousand; `loadMore` gets more.
 */
export function useEdgeHistory(id: string, relationships: string[] | null): EdgeHistory {
  const pages = usePages(HISTORY, { id, relationships, after: null }, connectionOf, { staleMs: 15_000 });
  const { hasMore, readAhead, loadMore, retry, refetch } = pages;
  const isFull = pages.nodes.length >= LOADED_MOST;
  useEffect(() => {
    if (hasMore && !isFull) readAhead();
  }, [hasMore, isFull, readAhead]);
  useRefetchOnEdges([id], refetch);
  const versions = useMemo(() => versionsOf(pages.nodes), [pages.nodes]);
  return {
    versions,
    total: Math.max(pages.totalCount ?? 0, versions.length),
    isLoading: pages.isLoading,
    loadMore: hasMore && isFull ? loadMore : null,
    faults: [...(pages.error?.faults ?? []), ...pages.faults],
    retry,
  };
}

function connectionOf(data: EntityEdgeHistoryQuery): Connection | null {
  return data.node && "edgeHistory" in data.node ? (data.node.edgeHistory ?? null) : null;
}

/** Return the end of an edge that is not the entity itself. */
export function otherEnd(edge: EdgeRecord, entityId: string): EdgeEnd {
  return edge.source.id === entityId ? edge.target : edge.source;
}
