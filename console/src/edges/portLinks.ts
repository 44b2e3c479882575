import { type EdgeVersion, isBelievedAt } from "../time/holds";
import type { Micros } from "../time/instant";

/** The versions at one port: rows in which none covers another, those believed apart from those superseded. */
type PortLinks<V> = { port: number | null; believed: V[][]; superseded: V[][] };

/** Return the versions by port, as believed at `knownAt` (null: now); what was not yet recorded is left out. */
export function linksByPort<V extends EdgeVersion & { edge: { port?: number | null } }>(versions: readonly V[], knownAt: Micros | null): PortLinks<V>[] {
  const ports = new Map<number | null, { believed: V[]; superseded: V[] }>();
  for (const version of versions) {
    if (knownAt !== null && version.recordedAt > knownAt) continue;
    const port = version.edge.port ?? null;
    const links = ports.get(port) ?? { believed: [], superseded: [] };
    links[isBelievedAt(version, knownAt) ? "believed" : "superseded"].push(version);
    ports.set(port, links);
  }
  return [...ports]
    .sort(([a], [b]) => (a ?? -1) - (b ?? -1))
    .map(([port, links]) => ({ port, believed: packed(links.believed), superseded: packed(links.superseded) }));
}

/** Return the versions in as few rows as greedy packing needs; in a row none begins before the one before it ended. */
export function packed<V extends EdgeVersion>(versions: readonly V[]): V[][] {
  const rows: V[][] = [];
  for (const version of [...versions].sort((a, b) => a.validFrom - b.validFrom || a.recordedAt - b.recordedAt)) {
    const row = rows.find((candidate) => {
      const last = candidate.at(-1);
      return last !== undefined && last.validUntil !== null && last.validUntil <= version.validFrom;
    });
    if (row) row.push(version);
    else rows.push([version]);
  }
  return rows;
}

/** Return the place of an instant on an axis, in percent of its length, held between its ends. */
export function place(at: Micros, from: Micros, to: Micros): number {
  return Math.max(0, Math.min(100, ((at - from) / (to - from)) * 100));
}
