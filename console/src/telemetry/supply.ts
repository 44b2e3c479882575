import type { Micros } from "../time/instant";
import { type EdgeVersion, isBelievedAt } from "../time/holds";

/** A version of a link by which a device supplies the points of an entity. */
export type SupplyVersion = EdgeVersion & {
  device: { id: string; name: string };
  port: number | null;
  relationship: string;
  /** Metrics that the link lets pass; null: all. */
  metrics: readonly string[] | null;
};

/** A stretch of time in which a device supplied points by one port, as one uninterrupted whole. */
export type SupplyBand = Pick<SupplyVersion, "device" | "port" | "relationship" | "metrics"> & {
  key: string;
  /** The part of it that is drawn, half-open. */
  from: Micros;
  until: Micros;
  /** When it began and ended in the world, also outside of what is drawn; null: open. */
  validFrom: Micros;
  validUntil: Micros | null;
  /** The newest version in it: what is corrected. */
  versionId: string;
};

/** The bands of one device at one port. */
export type SupplyLane = { key: string; device: SupplyVersion["device"]; port: number | null; bands: SupplyBand[] };

/**
 * Return which device supplied which stretch of [from, to), up to `asOf`, as believed at `knownAt` (null: now).
 *
 * Versions of one device, port, relationship and choice of metrics that touch or overlap are one band: a link that
 * was corrected, or ended and made again at the same instant, did not interrupt the supply.
 */
export function supplyBands(
  versions: readonly SupplyVersion[],
  range: { from: Micros; to: Micros },
  asOf: Micros,
  knownAt: Micros | null,
): SupplyBand[] {
  // What holds at `asOf` itself is shown: an instant is the least there is.
  const end = Math.min(range.to, asOf + 1);
  const believed = versions.filter((version) => isBelievedAt(version, knownAt)).sort(byBeginning);
  const open = new Map<string, SupplyBand>();
  const bands: SupplyBand[] = [];
  for (const version of believed) {
    if (version.validUntil !== null && version.validUntil <= version.validFrom) continue;
    const key = keyOf(version);
    const before = open.get(key);
    if (before && (before.validUntil === null || version.validFrom <= before.validUntil)) {
      before.validUntil = latest(before.validUntil, version.validUntil);
      before.versionId = version.id;
      continue;
    }
    const band = bandOf(key, version);
    open.set(key, band);
    bands.push(band);
  }
  return bands
    .map((band) => ({ ...band, from: Math.max(band.validFrom, range.from), until: Math.min(band.validUntil ?? end, end) }))
    .filter((band) => band.from < band.until);
}

/** Return the bands by device and port, those that began first at the top. */
export function lanesOf(bands: readonly SupplyBand[]): SupplyLane[] {
  const lanes = new Map<string, SupplyLane>();
  for (const band of [...bands].sort((a, b) => a.validFrom - b.validFrom || (a.key < b.key ? -1 : 1))) {
    const key = `${band.device.id} ${band.port ?? ""}`;
    const lane = lanes.get(key);
    if (lane) lane.bands.push(band);
    else lanes.set(key, { key, device: band.device, port: band.port, bands: [band] });
  }
  return [...lanes.values()];
}

/**
 * Return a range around this one that stays the same while a live window moves through it, so that it is asked once.
 */
export function roundedRange(from: Micros, to: Micros): { from: Micros; to: Micros } {
  let step = 60e6;
  while (step < to - from) step *= 2;
  return { from: Math.floor(from / step) * step, to: Math.ceil((to + 1) / step) * step };
}

function keyOf(version: SupplyVersion): string {
  const metrics = version.metrics === null ? "*" : [...version.metrics].sort().join(",");
  return `${version.device.id} ${version.port ?? ""} ${version.relationship} ${metrics}`;
}

function bandOf(key: string, version: SupplyVersion): SupplyBand {
  const { device, port, relationship, metrics, validFrom, validUntil } = version;
  return { key, device, port, relationship, metrics, validFrom, validUntil, from: validFrom, until: validFrom, versionId: version.id };
}

function latest(a: Micros | null, b: Micros | null): Micros | null {
  return a === null || b === null ? null : Math.max(a, b);
}

function byBeginning(a: SupplyVersion, b: SupplyVersion): number {
  return a.validFrom - b.validFrom || a.recordedAt - b.recordedAt || (a.id < b.id ? -1 : 1);
}
