import type { VersionRecord } from "./useEdgeHistory";
import { type Interval, type LinkOfPoints, metricsOf } from "./effects";

/** Relationships by which the points of a device become those of an asset or a space. */
export const LINKS = ["MONITORED_BY", "CONTROLLED_BY"] as const;
export type LinkRelationship = (typeof LINKS)[number];

export function isLink(relationship: string): boolean {
  return (LINKS as readonly string[]).includes(relationship);
}

/** Return whose points an edge attributes, and to whom; null where it is none that does. */
export function linkOf(version: VersionRecord): LinkOfPoints | null {
  const { edge } = version;
  if (!isLink(edge.relationship)) return null;
  return { entity: edge.source, device: edge.target, port: edge.port ?? null, metrics: metricsOf(edge.metadata) };
}

export function intervalOf(version: VersionRecord): Interval {
  return { from: version.validFrom, until: version.validUntil };
}
