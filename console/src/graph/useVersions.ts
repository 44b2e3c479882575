import { useEffect, useMemo } from "react";
import { graphql } from "../api/gen";
import type { Fault } from "../api/request";
import { usePages } from "../api/usePages";
import type { VersionRecord } from "../edges/useEdgeHistory";
import { useRefetchOnEdges } from "../edges/useRefetchOnEdges";
import { versionsOf } from "../edges/versions";

const VERSIONS = graphql(`
  query GraphVersions($entityIds: [ID!]!, $from: DateTime!, $to: DateTime, $after: String) {
    edgeVersions(entityIds: $entityIds, from: $from, to: $to, first: 500, after: $after) {
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
`);

// All of valid time: what was linked once is drawn too, so that nothing moves while the moment does.
const ALL = { from: "1970-01-01T00:00:00Z", to: "9999-01-01T00:00:00Z" };
const LOADED_MOST = 5_000;

export type Versions = {
  versions: VersionRecord[];
  total: number;
  isLoading: boolean;
  faults: Fault[];
  retry: () => void;
};

/** Every version of the edges at some entities, page by page up to a few thousand, read again when one of them changes. */
export function useVersions(entityIds: readonly string[]): Versions {
  const ids = [...entityIds].sort();
  const pages = usePages(VERSIONS, { entityIds: ids, ...ALL, after: null }, (data) => data.edgeVersions, {
    enabled: ids.length > 0,
    keep: true,
    staleMs: 15_000,
  });
  const { hasMore, readAhead, refetch, retry } = pages;
  const isFull = pages.nodes.length >= LOADED_MOST;
  useEffect(() => {
    if (hasMore && !isFull) readAhead();
  }, [hasMore, isFull, readAhead]);
  useRefetchOnEdges(ids, refetch);
  const versions = useMemo(() => versionsOf(pages.nodes), [pages.nodes]);
  return {
    versions,
    total: Math.max(pages.totalCount ?? 0, versions.length),
    isLoading: pages.isLoading || (pages.isPlaceholder && versions.length === 0),
    faults: [...(pages.error?.faults ?? []), ...pages.faults],
    retry,
  };
}
