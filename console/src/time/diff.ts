import type { Micros } from "./instant";
import { type EdgeVersion, isBelievedAt, isValidAt } from "./holds";

/** A change of what held: an edge that began or ended. */
type EdgeChange<V> = { version: V; at: Micros; what: "began" | "ended" };
/** A change of what was believed: a version that was recorded or given up. */
type BeliefChange<V> = { version: V; at: Micros; what: "recorded" | "superseded" };

/**
 * Return what happened in the world in (from, to], as believed at `knownAt` (null: now), earliest first.
 *
 * An edge whose validity ends as another version of the same edge begins has not changed in the world.
 */
export function happened<V extends EdgeVersion>(
  versions: readonly V[],
  from: Micros,
  to: Micros,
  knownAt: Micros | null,
): EdgeChange<V>[] {
  const changes: EdgeChange<V>[] = [];
  for (const version of versions) {
    if (!isBelievedAt(version, knownAt)) continue;
    if (from < version.validFrom && version.validFrom <= to) changes.push({ version, at: version.validFrom, what: "began" });
    if (version.validUntil !== null && from < version.validUntil && version.validUntil <= to) {
      changes.push({ version, at: version.validUntil, what: "ended" });
    }
  }
  return withoutSeams(changes).sort(byTime);
}

/** Leave out what ends and begins at one instant of one edge: as many of either. */
function withoutSeams<V extends EdgeVersion>(changes: readonly EdgeChange<V>[]): EdgeChange<V>[] {
  const groups = new Map<string, { began: EdgeChange<V>[]; ended: EdgeChange<V>[] }>();
  for (const change of changes) {
    const key = `${change.version.edgeId} ${change.at}`;
    const group = groups.get(key) ?? { began: [], ended: [] };
    group[change.what].push(change);
    groups.set(key, group);
  }
  return [...groups.values()].flatMap(({ began, ended }) => {
    const seams = Math.min(began.length, ended.length);
    return [...began.slice(seams), ...ended.slice(seams)];
  });
}

/** Return what was learned in (from, to]: versions recorded or given up by then, earliest first. */
export function learned<V extends EdgeVersion>(versions: readonly V[], from: Micros, to: Micros): BeliefChange<V>[] {
  const changes: BeliefChange<V>[] = [];
  for (const version of versions) {
    if (from < version.recordedAt && version.recordedAt <= to) {
      changes.push({ version, at: version.recordedAt, what: "recorded" });
    }
    if (version.retractedAt !== null && from < version.retractedAt && version.retractedAt <= to) {
      changes.push({ version, at: version.retractedAt, what: "superseded" });
    }
  }
  return changes.sort(byTime);
}

/** Return the instants in (from, to) at which the graph changed in the world, as believed at `knownAt`, once each. */
export function changeInstants(
  versions: readonly EdgeVersion[],
  from: Micros,
  to: Micros,
  knownAt: Micros | null,
): Micros[] {
  const instants = new Set<Micros>();
  for (const version of versions) {
    if (!isBelievedAt(version, knownAt)) continue;
    if (from < version.validFrom && version.validFrom < to) instants.add(version.validFrom);
    if (version.validUntil !== null && from < version.validUntil && version.validUntil < to) instants.add(version.validUntil);
  }
  return [...instants].sort((a, b) => a - b);
}

/** Return the versions that are true at an instant and believed at another (null: now). */
export function current<V extends EdgeVersion>(versions: readonly V[], asOf: Micros, knownAt: Micros | null): V[] {
  return versions.filter((version) => isValidAt(version, asOf) && isBelievedAt(version, knownAt));
}

function byTime(a: { at: Micros; version: EdgeVersion }, b: { at: Micros; version: EdgeVersion }): number {
  return a.at - b.at || (a.version.id < b.version.id ? -1 : 1);
}
