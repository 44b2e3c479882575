import { type Micros, microsOf } from "../time/instant";

export type StayTimes = { entered?: string | null; left?: string | null; lost: boolean };

/**
 * Return a stay as it was at an instant (null: now): what was left only after it was not left yet.
 *
 * durationUs: from the first fix inside to the one outside, or to `at`; null where an end is not known.
 */
export function stayAt(stay: StayTimes, at: Micros | null, now: Micros): { left: string | null; isLost: boolean; durationUs: number | null } {
  const end = at ?? now;
  const isLeft = Boolean(stay.left) && microsOf(stay.left ?? "") <= end;
  const left = isLeft ? (stay.left ?? null) : null;
  const durationUs = stay.entered ? Math.max(0, (left === null ? end : microsOf(left)) - microsOf(stay.entered)) : null;
  return { left, isLost: isLeft && stay.lost, durationUs };
}
