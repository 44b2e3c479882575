import { useMemo } from "react";
import { graphql } from "../api/gen";
import type { EntityEdgeHistoryQuery } from "../api/gen/graphql";
import { useApi } from "../api/hooks";
import type { Fault } from "../api/request";
import { type EdgeVersion, versionOf } from "../time/holds";
import { useMoment } from "../time/useMoment";

const HISTORY = graphql(`
  query EntityEdgeHistory($id: ID!, $relationships: [String!]) {
    node(id: $id) {
      id
      ... on Entity {
        edgeHistory(relationships: $relationships, first: 500) {
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
        }
      }
    }
  }
`);

const REFRESH_MS = 30_000;

type Node = NonNullable<EntityEdgeHistoryQuery["node"]>;
type Connection = NonNullable<Extract<Node, { edgeHistory?: unknown }>["edgeHistory"]>;
/** A version of an edge with its ends, as it was recorded. */
export type EdgeRecord = Connection["nodes"][number];
/** The same with its instants as numbers. */
export type VersionRecord = EdgeVersion & { edge: EdgeRecord };
export type EdgeEnd = EdgeRecord["source"];

export type EdgeHistory = {
  versions: VersionRecord[];
  total: number;
  isLoading: boolean;
  faults: Fault[];
  refetch: () => void;
};

/** All versions of the edges at an entity, once; what is true at a moment is chosen from them without a request. */
export function useEdgeHistory(id: string, relationships: string[] | null): EdgeHistory {
  const { moment } = useMoment();
  // A change of an edge is not sent as one of its ends: while live, it is looked for.
  const refresh = moment.mode === "live" ? { refetchMs: REFRESH_MS } : {};
  const answer = useApi(HISTORY, { id, relationships }, { staleMs: 15_000, ...refresh });
  const node = answer.data?.node;
  const connection = node && "edgeHistory" in node ? node.edgeHistory : undefined;
  const versions = useMemo(() => (connection?.nodes ?? []).map((edge) => versionOf(edge)), [connection]);
  return {
    versions,
    total: connection?.totalCount ?? 0,
    isLoading: answer.data === undefined && answer.error === null,
    faults: [...(answer.error?.faults ?? []), ...answer.faults],
    refetch: () => void answer.refetch(),
  };
}

/** Return the end of an edge that is not the entity itself. */
export function otherEnd(edge: EdgeRecord, entityId: string): EdgeEnd {
  return edge.source.id === entityId ? edge.target : edge.source;
}
