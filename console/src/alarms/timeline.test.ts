import { expect, test } from "vitest";
import { type AlarmHistory, lastCorrection, stepsOf } from "./timeline";
import { microsOf } from "../time/instant";

const alarm: AlarmHistory = {
  beganAt: "2026-03-01T10:00:00Z",
  openedAt: "2026-03-01T10:10:00Z",
  clearedAt: "2026-03-01T11:00:00Z",
  clearedReason: "CONDITION",
  detectedAt: "2026-03-01T10:10:01Z",
  acknowledgedAt: "2026-03-01T10:20:00Z",
  dismissedAt: null,
  withdrawnAt: "2026-03-02T08:00:00Z",
  flaps: 0,
  marks: [{ kind: "ACKNOWLEDGED", at: "2026-03-01T10:20:00Z", actor: "ada", note: "seen" }],
  corrections: [
    {
      recordedAt: "2026-03-02T08:00:00Z",
      before: { opened_at: "2026-03-01T10:12:00+00:00", withdrawn: false },
      after: { opened_at: "2026-03-01T10:12:00+00:00", withdrawn: true },
    },
    {
      recordedAt: "2026-03-01T12:00:00Z",
      before: { opened_at: "2026-03-01T10:10:00+00:00", cleared_at: null, withdrawn: false },
      after: { opened_at: "2026-03-01T10:12:00+00:00", cleared_at: "2026-03-01T11:00:00+00:00", withdrawn: false },
    },
  ],
};

test("the steps of a timeline come in the order of their instants, with what corrected it", () => {
  const steps = stepsOf(alarm, (at) => at.slice(11, 16));
  expect(steps.map((step) => [step.time, step.what, step.detail])).toEqual([
    ["happened", "The condition began to hold", null],
    ["happened", "Opened", null],
    ["learned", "Detected", null],
    ["learned", "Acknowledged by ada", "seen"],
    ["happened", "Cleared", "the condition stopped holding"],
    ["learned", "Corrected", "opened 10:12 instead of 10:10; cleared 11:00 instead of not yet"],
    ["learned", "Withdrawn", "by the data as they are now it never occurred"],
  ]);
});

test("a withdrawal without a correction is a step too", () => {
  const steps = stepsOf({ ...alarm, corrections: [] }, (at) => at);
  expect(steps.at(-1)?.what).toBe("Withdrawn");
  expect(lastCorrection({ withdrawnAt: null, corrections: alarm.corrections ?? [] })).toBe(microsOf("2026-03-02T08:00:00Z"));
  expect(lastCorrection({ withdrawnAt: null, corrections: null })).toBeNull();
});
