import { useMemo } from "react";
import { graphql } from "../api/gen";
import { useApi } from "../api/hooks";
import type { Fault } from "../api/request";
import { metricsOf } from "../edges/effects";
import { LINKS } from "../edges/links";
import { versionOf } from "../time/holds";
import { textOf } from "../time/instant";
import { isPast } from "../time/moment";
import { useMoment, useShown } from "../time/useMoment";
import { lanesOf, roundedRange, supplyBands, type SupplyLane, type SupplyVersion } from "./supply";
import type { Range } from "./TelemetryPanel";

const VERSIONS = graphql(`
  query SupplyVersions($id: ID!, $relationships: [String!]!, $from: DateTime!, $to: DateTime!) {
    edgeVersions(entityIds: [$id], relationships: $relationships, from: $from, to: $to, first: 500) {
      nodes {
        id
        edgeId
        relationship
        port
        metadata
        validFrom
        validUntil
        recordedAt
        retractedAt
        source {
          id
        }
        target {
          id
          name
        }
      }
      pageInfo {
        hasNextPage
      }
    }
  }
`);

export type Supply = {
  lanes: SupplyLane[];
  asOf: number;
  knownAt: number | null;
  isPreview: boolean;
  isPartial: boolean;
  isLoading: boolean;
  faults: Fault[];
  refetch: () => void;
};

const REFETCH_MS = 30_000;

/**
 * Which device supplied an entity's points in a range, at the moment shown; of the thumb while it moves.
 *
 * One request for a range and what is around it: a window that moves, and the thumb, ask nothing more.
 */
export function useSupply(entityId: string, range: Range): Supply {
  const { moment } = useMoment();
  const { asOf, knownAt, isPreview } = useShown();
  const { fromMs, toMs } = range;
  const asked = roundedRange(fromMs * 1000, toMs * 1000);
  const answer = useApi(
    VERSIONS,
    { id: entityId, relationships: [...LINKS], from: textOf(asked.from), to: textOf(asked.to) },
    { keep: true, staleMs: 15_000, ...(isPast(moment) ? {} : { refetchMs: REFETCH_MS }) },
  );
  const nodes = answer.data?.edgeVersions.nodes;
  const versions = useMemo(
    () =>
      (nodes ?? [])
        .filter((edge) => edge.source.id === entityId)
        .map((edge): SupplyVersion => ({
          ...versionOf(edge),
          device: edge.target,
          port: edge.port ?? null,
          relationship: edge.relationship,
          metrics: metricsOf(edge.metadata),
        })),
    [nodes, entityId],
  );
  const lanes = useMemo(
    () => lanesOf(supplyBands(versions, { from: fromMs * 1000, to: toMs * 1000 }, asOf, knownAt)),
    [versions, fromMs, toMs, asOf, knownAt],
  );
  return {
    lanes,
    asOf,
    knownAt,
    isPreview,
    isPartial: answer.data?.edgeVersions.pageInfo.hasNextPage ?? false,
    isLoading: answer.data === undefined && answer.error === null,
    faults: answer.error?.faults ?? answer.faults,
    refetch: () => void answer.refetch(),
  };
}
