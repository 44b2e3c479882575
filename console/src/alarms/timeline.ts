import { age } from "../time/age";
import { type Micros, microsOf } from "../time/instant";
import { type Corrected, type Correction, correctedOf } from "./past";

/**
 * A step in the timeline of an alarm. happened: in the data, by event time; learned: what Argus or a person did, by system time.
 */
export type Step = { at: string; time: "happened" | "learned"; what: string; detail: string | null; correction?: Correction };

export type AlarmHistory = {
  beganAt: string;
  openedAt: string;
  clearedAt?: string | null;
  clearedReason?: string | null;
  detectedAt: string;
  acknowledgedAt?: string | null;
  dismissedAt?: string | null;
  withdrawnAt?: string | null;
  flaps: number;
  marks: readonly { kind: string; at: string; actor: string; note?: string | null }[];
  corrections?: readonly Correction[] | null;
};

const CLEARED: Record<string, string> = {
  CONDITION: "the condition stopped holding",
  RULE_CHANGED: "the rule was changed",
  SCOPE_LEFT: "the entity left the scope of the rule",
  ENTITY_DELETED: "the entity was deleted",
};

/** Return the steps in the timeline of an alarm, earliest first. `instant` writes an instant for people. */
export function stepsOf(alarm: AlarmHistory, instant: (at: string) => string): Step[] {
  const steps: Step[] = [];
  if (alarm.beganAt !== alarm.openedAt) steps.push({ at: alarm.beganAt, time: "happened", what: "The condition began to hold", detail: null });
  const flaps = alarm.flaps === 0 ? null : `${alarm.flaps} later ${alarm.flaps === 1 ? "event was" : "events were"} merged into it, because it flapped`;
  steps.push({ at: alarm.openedAt, time: "happened", what: "Opened", detail: flaps });
  if (alarm.clearedAt) {
    const reason = alarm.clearedReason ? (CLEARED[alarm.clearedReason] ?? alarm.clearedReason) : null;
    steps.push({ at: alarm.clearedAt, time: "happened", what: "Cleared", detail: reason });
  }
  steps.push({ at: alarm.detectedAt, time: "learned", what: "Detected", detail: lateText(alarm) });
  for (const mark of alarm.marks) {
    const what = mark.kind === "ACKNOWLEDGED" ? "Acknowledged" : mark.kind === "DISMISSED" ? "Dismissed" : "Comment";
    steps.push({ at: mark.at, time: "learned", what: `${what} by ${mark.actor}`, detail: mark.note ?? null });
  }
  const corrections = alarm.corrections ?? [];
  for (const correction of corrections) {
    const { what, detail } = correctionText(correction, instant);
    steps.push({ at: correction.recordedAt, time: "learned", what, detail, correction });
  }
  const isSaid = corrections.some((correction) => correctedOf(correction.after).withdrawn === true);
  if (alarm.withdrawnAt && !isSaid) {
    steps.push({ at: alarm.withdrawnAt, time: "learned", what: "Withdrawn", detail: "by the data as they are now it never occurred" });
  }
  // sort is stable: of steps at one instant, what happened comes before what was learned of it.
  return steps.sort((a, b) => microsOf(a.at) - microsOf(b.at));
}

function lateText(alarm: AlarmHistory): string | null {
  const [opened, detected] = [microsOf(alarm.openedAt), microsOf(alarm.detectedAt)];
  if (detected - opened < 60e6) return null;
  return `${age(opened, detected)} after it opened: its data came or were corrected later, or the rule was created later`;
}

/** Return a correction in words: what it changed, from what to what. */
export function correctionText(correction: Correction, instant: (at: string) => string): { what: string; detail: string | null } {
  const before = correctedOf(correction.before);
  const after = correctedOf(correction.after);
  if (after.withdrawn === true && before.withdrawn !== true) {
    return { what: "Withdrawn", detail: "by the data as they are now it never occurred" };
  }
  const parts: string[] = [];
  const time = (name: "beganAt" | "openedAt" | "clearedAt", words: string) => {
    if (!(name in after) || sameInstant(before[name], after[name])) return;
    parts.push(`${words} ${textOf(after[name], instant, name)} instead of ${textOf(before[name], instant, name)}`);
  };
  time("beganAt", "began");
  time("openedAt", "opened");
  time("clearedAt", "cleared");
  if ("value" in after && before.value !== after.value) parts.push(`value ${after.value ?? "none"} instead of ${before.value ?? "none"}`);
  const what = before.withdrawn === true && after.withdrawn === false ? "No longer withdrawn" : "Corrected";
  return { what, detail: parts.length === 0 ? null : parts.join("; ") };
}

function sameInstant(a: string | null | undefined, b: string | null | undefined): boolean {
  if (!a || !b) return !a && !b;
  return microsOf(a) === microsOf(b);
}

function textOf(at: string | null | undefined, instant: (at: string) => string, name: keyof Corrected): string {
  return at ? instant(at) : name === "clearedAt" ? "not yet" : "never";
}

/** Return the instant of the correction that withdrew the alarm or changed it last; null: there is none. */
export function lastCorrection(alarm: Pick<AlarmHistory, "withdrawnAt" | "corrections">): Micros | null {
  if (alarm.withdrawnAt) return microsOf(alarm.withdrawnAt);
  const instants = (alarm.corrections ?? []).map((correction) => microsOf(correction.recordedAt));
  return instants.length === 0 ? null : Math.max(...instants);
}
