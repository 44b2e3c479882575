import { useEffect, useMemo } from "react";
import { graphql } from "../../api/gen";
import { usePages } from "../../api/usePages";
import type { Fault } from "../../api/request";
import { versionOf } from "../../time/holds";
import type { HubKind } from "../list/hubFilter";
import { TREE_RELATIONSHIPS, type TreeVersion } from "./preview";

const VERSIONS = graphql(`
  query TreeVersions($ids: [ID!]!, $relationships: [String!]!, $from: DateTime!, $after: String) {
    edgeVersions(entityIds: $ids, relationships: $relationships, from: $from, first: 500, after: $after) {
      nodes {
        id
        edgeId
        relationship
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

const LONG_AGO = "1970-01-01T00:00:00Z";
// Edges of so many nodes, and so many versions of them, are kept at hand; of what is beyond, the tree waits.
const NODES_MOST = 200;
const VERSIONS_MOST = 3_000;

/** Every version of the edges at the unfolded nodes, once: by them the tree follows the thumb of the time bar. */
export function useTreeVersions(kind: HubKind, ids: readonly string[]): { versions: TreeVersion[]; isWhole: boolean; faults: Fault[]; retry: () => void } {
  const requested = useMemo(() => [...ids].sort().slice(0, NODES_MOST), [ids]);
  const pages = usePages(
    VERSIONS,
    { ids: requested, relationships: [...TREE_RELATIONSHIPS[kind]], from: LONG_AGO, after: null },
    (data) => data.edgeVersions,
    { enabled: requested.length > 0, staleMs: 60_000 },
  );
  const { hasMore, readAhead } = pages;
  const isFull = pages.nodes.length >= VERSIONS_MOST;
  useEffect(() => {
    if (hasMore && !isFull) readAhead();
  }, [hasMore, isFull, readAhead]);
  const versions = useMemo(() => pages.nodes.map((edge) => versionOf(edge)), [pages.nodes]);
  return { versions, isWhole: !pages.isLoading && !hasMore && ids.length <= NODES_MOST, faults: [...(pages.error?.faults ?? []), ...pages.faults], retry: pages.retry };
}
