import { type EdgeVersion, isBelievedAt } from "../time/holds";
import type { Micros } from "../time/instant";

/** What the strip needs of a version of a link: which device, at which port. */
export type SupplierVersion = EdgeVersion & { deviceId: string; port: number | null };

/** A half-open range of the window in which a supplier was linked. `isOpen`: the link goes on beyond the window. */
export type Band = { from: Micros; until: Micros; isOpen: boolean };

/** A device at a port, and where it supplied. */
export type Lane<V> = { key: string; version: V; bands: Band[] };

/** A part of the window in which the same suppliers were linked; none: nobody supplied. */
export type Stretch = { from: Micros; until: Micros; keys: readonly string[] };

export function laneKey(version: { deviceId: string; port: number | null }): string {
  return `${version.deviceId} ${version.port ?? ""}`;
}

/**
 * Return a lane for every device and port that any version names, with its bands as believed at `knownAt` (null: now).
 *
 * Lanes are of all versions, whatever is believed: one that is not believed at the moment has no bands, and none moves
 * while the moment changes.
 */
export function lanesOf<V extends SupplierVersion>(versions: readonly V[], from: Micros, to: Micros, knownAt: Micros | null): Lane<V>[] {
  const lanes = new Map<string, { first: V; ranges: Band[] }>();
  for (const version of versions) {
    const key = laneKey(version);
    const lane = lanes.get(key) ?? { first: version, ranges: [] };
    if (isEarlier(version, lane.first)) lane.first = version;
    lanes.set(key, lane);
    if (!isBelievedAt(version, knownAt)) continue;
    const range = clipped(version, from, to);
    if (range !== null) lane.ranges.push(range);
  }
  return [...lanes]
    .sort(([, a], [, b]) => (isEarlier(a.first, b.first) ? -1 : 1))
    .map(([key, lane]) => ({ key, version: lane.first, bands: joined(lane.ranges) }));
}

/** Return the window in parts, each with the suppliers that were linked all through it; equal neighbours are one. */
export function stretchesOf(lanes: readonly { key: string; bands: readonly Band[] }[], from: Micros, to: Micros): Stretch[] {
  if (to <= from) return [];
  const edges = new Set<Micros>([from, to]);
  for (const lane of lanes) for (const band of lane.bands) edges.add(band.from).add(band.until);
  const instants = [...edges].sort((a, b) => a - b);
  const stretches: Stretch[] = [];
  for (let index = 0; index + 1 < instants.length; index++) {
    const start = instants[index] as Micros;
    const until = instants[index + 1] as Micros;
    const keys = suppliersAt(lanes, start);
    const before = stretches.at(-1);
    if (before !== undefined && before.keys.join("\n") === keys.join("\n")) before.until = until;
    else stretches.push({ from: start, until, keys });
  }
  return stretches;
}

/** Return the keys of the lanes that supply at an instant, in the order of the lanes. */
export function suppliersAt(lanes: readonly { key: string; bands: readonly Band[] }[], at: Micros): string[] {
  return lanes.filter((lane) => lane.bands.some((band) => band.from <= at && at < band.until)).map((lane) => lane.key);
}

function clipped(version: EdgeVersion, from: Micros, to: Micros): Band | null {
  const start = Math.max(version.validFrom, from);
  const isOpen = version.validUntil === null || version.validUntil > to;
  const until = isOpen ? to : (version.validUntil as Micros);
  return start < until ? { from: start, until, isOpen } : null;
}

/** Join ranges that touch or overlap: a link that was cut in two by a correction of its metadata is one band. */
function joined(ranges: Band[]): Band[] {
  const bands: Band[] = [];
  for (const range of ranges.sort((a, b) => a.from - b.from)) {
    const last = bands.at(-1);
    if (last === undefined || range.from > last.until) {
      bands.push({ ...range });
    } else if (range.until >= last.until) {
      last.isOpen = range.isOpen || (last.isOpen && range.until === last.until);
      last.until = range.until;
    }
  }
  return bands;
}

function isEarlier(a: SupplierVersion, b: SupplierVersion): boolean {
  if (a.validFrom !== b.validFrom) return a.validFrom < b.validFrom;
  const keys = [laneKey(a), laneKey(b)] as const;
  return keys[0] === keys[1] ? a.id < b.id : keys[0] < keys[1];
}
