/** How a window of time is asked: stored points, or one value per bucket. */
type Resolution = { bucket: string; bucketMs: number } | { bucket: null; bucketMs: null };

const STEPS: readonly [string, number][] = [
  ["PT2S", 2e3],
  ["PT10S", 10e3],
  ["PT1M", 60e3],
  ["PT5M", 300e3],
  ["PT15M", 900e3],
  ["PT1H", 3600e3],
  ["PT6H", 21_600e3],
  ["P1D", 86_400e3],
  ["P7D", 604_800e3],
];
const BUCKETS_MOST = 500;
/** Up to this length stored points are shown. */
export const RAW_MS = 3_600_000;

/**
 * Return the resolution for a window: stored points up to an hour, else the finest that has at most 500 buckets.
 *
 * isThinned: buckets also up to an hour, because there are too many points.
 */
export function resolutionOf(windowMs: number, isThinned = false): Resolution {
  if (windowMs <= RAW_MS && !isThinned) return { bucket: null, bucketMs: null };
  const step = STEPS.find(([, ms]) => windowMs / ms <= BUCKETS_MOST) ?? (STEPS.at(-1) as [string, number]);
  return { bucket: step[0], bucketMs: step[1] };
}
