import type { Fault } from "../api/request";

/**
 * How much is read before what is new comes.
 *
 * whole: all points of the window. tail: buckets, and the points since the newest. nothing: buckets, and what is new.
 */
export type Amount = "whole" | "tail" | "nothing";

/** How often buckets are asked again. */
export const BUCKETS_MS = 60_000;

/** Return the event time to begin at, so that nothing is missing behind what is stored. */
export function sinceOf(amount: Amount, windowMs: number, bucketMs: number | null, nowMs: number): number {
  if (amount === "nothing") return Math.floor(nowMs);
  // Buckets have what was there when they were asked: behind them two turns are enough, one may have failed.
  return Math.floor(nowMs - (bucketMs === null ? windowMs : 2 * BUCKETS_MS));
}

/** Return how long points are kept. */
export function retainedMs(windowMs: number, bucketMs: number | null): number {
  return bucketMs === null ? windowMs * 1.05 : Math.max(bucketMs, 2 * BUCKETS_MS) * 1.05;
}

/** Return what to read instead where the API refuses so much; null: the refusal is about something else. */
export function lessAfter(refused: readonly Fault[], amount: Amount): Amount | null {
  if (!refused.some((fault) => fault.code === "LIMIT_EXCEEDED")) return null;
  return amount === "whole" ? "tail" : amount === "tail" ? "nothing" : null;
}
