import { type EdgeVersion, isBelievedAt } from "../time/holds";
import type { Micros } from "../time/instant";

/** What the strip needs of a version of a link: which device, at which port. */
export type SupplierVersion = EdgeVersion & { deviceId: string; port: number | null };

/** A half-open range of the window in which a supplier was linked. `isOpen`: the link goes on beyond the window. */
export type Band = { from: Micros; until: Micros; isOpen: boolean };

/** A device at a port, and where it supplied. */
export type Supplier<V> = { key: string; version: V; bands: Band[] };

/** A part of the window in which the same suppliers were linked; none: nobody supplied. */
export type SupplyRange = { from: Micros; until: Micros; keys: readonly string[] };

export function supplierKey(version: { deviceId: string; port: number | null }): string {
  return `${version.deviceId} ${version.port ?? ""}`;
}

/**
 * Return a supplier for every device and port that any version names, with its bands as believed at `knownAt` (null: now).
 *
 * Suppliers are of all versions, whatever is believed: one that is not believed at the moment has no bands, and none moves
 * while the moment changes.
 */
export function suppliersOf<V extends SupplierVersion>(versions: readonly V[], from: Micros, to: Micros, knownAt: Micros | null): Supplier<V>[] {
  const suppliers = new Map<string, { first: V; ranges: Band[] }>();
  for (const version of versions) {
    const key = supplierKey(version);
    const supplier = suppliers.get(key) ?? { first: version, ranges: [] };
    if (isEarlier(version, supplier.first)) supplier.first = version;
    suppliers.set(key, supplier);
    if (!isBelievedAt(version, knownAt)) continue;
    const range = clipped(version, from, to);
    if (range !== null) supplier.ranges.push(range);
  }
  return [...suppliers]
    .sort(([, a], [, b]) => (isEarlier(a.first, b.first) ? -1 : 1))
    .map(([key, supplier]) => ({ key, version: supplier.first, bands: joined(supplier.ranges) }));
}

/** Return the window in parts, each with the suppliers that were linked all through it; equal neighbours are one. */
export function supplyRangesOf(suppliers: readonly { key: string; bands: readonly Band[] }[], from: Micros, to: Micros): SupplyRange[] {
  if (to <= from) return [];
  const edges = new Set<Micros>([from, to]);
  for (const supplier of suppliers) for (const band of supplier.bands) edges.add(band.from).add(band.until);
  const instants = [...edges].sort((a, b) => a - b);
  const ranges: SupplyRange[] = [];
  for (let index = 0; index + 1 < instants.length; index++) {
    const start = instants[index] as Micros;
    const until = instants[index + 1] as Micros;
    const keys = suppliersAt(suppliers, start);
    const before = ranges.at(-1);
    if (before !== undefined && before.keys.join("\n") === keys.join("\n")) before.until = until;
    else ranges.push({ from: start, until, keys });
  }
  return ranges;
}

/** Return the keys of the suppliers that supply at an instant, in the order of the suppliers. */
export function suppliersAt(suppliers: readonly { key: string; bands: readonly Band[] }[], at: Micros): string[] {
  return suppliers.filter((supplier) => supplier.bands.some((band) => band.from <= at && at < band.until)).map((supplier) => supplier.key);
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
  const keys = [supplierKey(a), supplierKey(b)] as const;
  return keys[0] === keys[1] ? a.id < b.id : keys[0] < keys[1];
}
