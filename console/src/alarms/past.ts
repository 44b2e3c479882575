import { type Micros, microsOf } from "../time/instant";
import type { Moment } from "../time/moment";
import type { Alarm } from "./alarm";

/** What a correction says of an alarm, before and after. Instants are RFC 3339. */
export type Corrected = {
  beganAt?: string | null;
  openedAt?: string | null;
  clearedAt?: string | null;
  clearedReason?: string | null;
  value?: number | null;
  flaps?: number | null;
  withdrawn?: boolean;
};
export type Correction = { recordedAt: string; before: unknown; after: unknown };
type PastAlarm = Alarm & { corrections?: readonly Correction[] | null };
type PastMoment = Exclude<Moment, { mode: "live" }>;

/** Return a side of a correction, by the names of the API's fields. */
export function correctedOf(side: unknown): Corrected {
  if (typeof side !== "object" || side === null) return {};
  return Object.fromEntries(
    Object.entries(side).map(([name, value]) => [name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()), value]),
  );
}

/** Return an alarm's times as they were known at an instant: those before the first correction after it. */
function knownThen(alarm: PastAlarm, at: Micros): Corrected & { isKnown: boolean } {
  const later = (alarm.corrections ?? []).filter((correction) => microsOf(correction.recordedAt) > at);
  const first = later.toSorted((a, b) => microsOf(a.recordedAt) - microsOf(b.recordedAt))[0];
  return { ...(first === undefined ? {} : correctedOf(first.before)), isKnown: microsOf(alarm.detectedAt) <= at };
}

/**
 * Whether an alarm was open at the moment.
 *
 * true: by its data as they are today. seen: as it was known then, before later corrections.
 */
export function wasOpen(alarm: PastAlarm, moment: PastMoment): boolean {
  const { at, mode } = moment;
  if (mode === "true") return alarm.state !== "WITHDRAWN" && isWithin(alarm.openedAt, alarm.clearedAt ?? null, at) && !isBy(alarm.dismissedAt, at);
  const then = knownThen(alarm, at);
  if (!then.isKnown || isBy(alarm.withdrawnAt, at) || isBy(alarm.dismissedAt, at)) return false;
  // Clearing is no correction: what has cleared since, and was found to have cleared later, was open.
  return isWithin(then.openedAt ?? alarm.openedAt, "clearedAt" in then ? (then.clearedAt ?? null) : (alarm.clearedAt ?? null), at);
}

/** Return the alarm with the state that it had at the moment at which it was open. */
export function asSeen(alarm: PastAlarm, moment: PastMoment): Alarm {
  const then = moment.mode === "seen" ? knownThen(alarm, moment.at) : null;
  return {
    ...alarm,
    beganAt: then?.beganAt ?? alarm.beganAt,
    openedAt: then?.openedAt ?? alarm.openedAt,
    value: then?.value ?? alarm.value ?? null,
    clearedAt: null,
    withdrawnAt: null,
    dismissedAt: null,
    state: isBy(alarm.acknowledgedAt, moment.at) ? "ACKNOWLEDGED" : "OPEN",
  };
}

function isBy(instant: string | null | undefined, at: Micros): boolean {
  return Boolean(instant) && microsOf(instant ?? "") <= at;
}

function isWithin(opened: string, cleared: string | null, at: Micros): boolean {
  return microsOf(opened) <= at && (cleared === null || at < microsOf(cleared));
}
