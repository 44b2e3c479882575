import type { Micros } from "../time/instant";

const LEAST_US = 10 * 60e6;
const MOST_US = 7 * 86_400e6;

/**
 * Return the range in which to show an alarm: as long before and after it as it held, at least ten minutes each; of an
 * alarm that has been open for long, no more than its first week. Whole ten seconds; not past `clock`.
 */
export function windowOf(began: Micros, cleared: Micros | null, clock: Micros): { from: Micros; to: Micros } {
  const end = Math.min(cleared ?? clock, began + MOST_US);
  const around = Math.max(LEAST_US, end - began);
  const whole = (instant: Micros) => Math.floor(instant / 10e6) * 10e6;
  const from = whole(began - Math.min(around, MOST_US));
  const to = Math.min(whole(end + around) + 10e6, Math.max(clock, end));
  return { from, to: Math.max(to, from + LEAST_US) };
}
