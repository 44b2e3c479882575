import { type Micros, textOf } from "../time/instant";

/** A half-open range of time; until null: open. */
export type Interval = { from: Micros; until: Micros | null };

/** Whose points a link attributes, and to whom. */
export type LinkOfPoints = {
  entity: { id: string; name: string };
  device: { id: string; name: string };
  port: number | null;
  /** Metrics that pass; null: all. */
  metrics: readonly string[] | null;
};

/** What a change of a link does to the points of a device over a range. */
export type Effect = LinkOfPoints & Interval & { what: "gains" | "loses" };

/** Return what an entity gains and loses where its link held over `before` and is to hold over `after`; null: never. */
export function effectsOf(link: LinkOfPoints, before: Interval | null, after: Interval | null): Effect[] {
  return [
    ...minus(before, after).map((range): Effect => ({ ...link, ...range, what: "loses" })),
    ...minus(after, before).map((range): Effect => ({ ...link, ...range, what: "gains" })),
  ];
}

/** Return the parts of a range that are not in another. */
export function minus(range: Interval | null, other: Interval | null): Interval[] {
  if (range === null || isEmpty(range)) return [];
  if (other === null || isEmpty(other)) return [range];
  const early: Interval = { from: range.from, until: least(range.until, other.from) };
  const parts = [early];
  if (other.until !== null) parts.push({ from: Math.max(range.from, other.until), until: range.until });
  return parts.filter((part) => !isEmpty(part));
}

/** Whether two ranges have an instant in common. */
export function overlaps(a: Interval, b: Interval): boolean {
  return (b.until === null || a.from < b.until) && (a.until === null || b.from < a.until);
}

function least(a: Micros | null, b: Micros): Micros {
  return a === null ? b : Math.min(a, b);
}

function isEmpty(range: Interval): boolean {
  return range.until !== null && range.until <= range.from;
}

const STEPS: readonly [string, number][] = [
  ["PT1M", 60e6],
  ["PT15M", 900e6],
  ["PT1H", 3600e6],
  ["P1D", 86_400e6],
  ["P7D", 604_800e6],
];
const BUCKETS_MOST = 200;

/** Return the arguments by which the points of a range up to `now` are counted; null where it lies in the future. */
export function countRange(range: Interval, now: Micros): { from: string; to: string; bucket: string } | null {
  const to = range.until === null ? now : Math.min(range.until, now);
  if (to <= range.from) return null;
  const step = STEPS.find(([, us]) => (to - range.from) / us <= BUCKETS_MOST);
  return { from: textOf(range.from), to: textOf(to), bucket: step?.[0] ?? "P1M" };
}

type Series = { metric: string; port?: number | null; values: readonly (number | null)[] };

/** Return how many points a link attributes, of the counts per bucket of its device. */
export function pointsOf(series: readonly Series[], link: Pick<LinkOfPoints, "port" | "metrics">): number {
  let points = 0;
  for (const counts of series) {
    if ((counts.port ?? null) !== link.port) continue;
    if (link.metrics !== null && !link.metrics.includes(counts.metric)) continue;
    for (const value of counts.values) points += value ?? 0;
  }
  return points;
}

/** Return the metrics that a link lets pass, of its metadata; null: all. */
export function metricsOf(metadata: unknown): string[] | null {
  if (typeof metadata !== "object" || metadata === null || !("metrics_mapping" in metadata)) return null;
  const mapping = metadata.metrics_mapping;
  return typeof mapping === "object" && mapping !== null ? Object.keys(mapping) : null;
}
