import { type Micros, microsOf } from "./instant";

/** A version of an edge: when it held in the world, and when that was believed. Half-open; null: open. */
export type EdgeVersion = {
  id: string;
  edgeId: string;
  validFrom: Micros;
  validUntil: Micros | null;
  recordedAt: Micros;
  retractedAt: Micros | null;
};

/** A version of an edge as the API gives it. */
export type EdgeTimes = {
  id: string;
  edgeId: string;
  validFrom: string;
  validUntil?: string | null;
  recordedAt: string;
  retractedAt?: string | null;
};

/** Return the version with its instants as numbers, once, so that looking through thousands is cheap. */
export function versionOf<E extends EdgeTimes>(edge: E): EdgeVersion & { edge: E } {
  return {
    edge,
    id: edge.id,
    edgeId: edge.edgeId,
    validFrom: microsOf(edge.validFrom),
    validUntil: edge.validUntil ? microsOf(edge.validUntil) : null,
    recordedAt: microsOf(edge.recordedAt),
    retractedAt: edge.retractedAt ? microsOf(edge.retractedAt) : null,
  };
}

/** Whether the version was true at `asOf` and believed at `knownAt`; null: now, whatever this clock says. */
export function holds(version: EdgeVersion, asOf: Micros, knownAt: Micros | null): boolean {
  return isValidAt(version, asOf) && isBelievedAt(version, knownAt);
}

export function isValidAt(version: EdgeVersion, asOf: Micros): boolean {
  return version.validFrom <= asOf && (version.validUntil === null || asOf < version.validUntil);
}

export function isBelievedAt(version: EdgeVersion, knownAt: Micros | null): boolean {
  if (knownAt === null) return version.retractedAt === null;
  return version.recordedAt <= knownAt && (version.retractedAt === null || knownAt < version.retractedAt);
}
