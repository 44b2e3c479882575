import { expect, test } from "vitest";
import { microsOf } from "../time/instant";
import { asSeen, wasOpen } from "./past";

const at = microsOf("2026-03-01T10:30:00Z");
const alarm = {
  id: "e",
  state: "CLEARED" as const,
  severity: "HIGH" as const,
  beganAt: "2026-03-01T10:00:00Z",
  openedAt: "2026-03-01T10:00:00Z",
  clearedAt: "2026-03-01T11:00:00Z",
  detectedAt: "2026-03-01T10:00:01Z",
  withdrawnAt: null,
  acknowledgedAt: "2026-03-01T10:20:00Z",
  dismissedAt: null,
  value: 3,
  flaps: 0,
  suppressed: false,
  rule: null,
  entity: { id: "a", kind: "ASSET" as const, name: "A", type: null },
};

test("what was true goes by the data as they are today", () => {
  expect(wasOpen(alarm, { mode: "true", at })).toBe(true);
  expect(wasOpen({ ...alarm, state: "WITHDRAWN", withdrawnAt: "2026-03-02T00:00:00Z" }, { mode: "true", at })).toBe(false);
  expect(wasOpen({ ...alarm, openedAt: "2026-03-01T10:40:00Z" }, { mode: "true", at })).toBe(false);
});

test("what we saw then goes by what was known: later corrections and withdrawals do not count", () => {
  const seen = { mode: "seen" as const, at };
  expect(wasOpen({ ...alarm, state: "WITHDRAWN", withdrawnAt: "2026-03-02T00:00:00Z" }, seen)).toBe(true);
  expect(wasOpen({ ...alarm, detectedAt: "2026-03-01T12:00:00Z" }, seen)).toBe(false);
  const corrected = {
    ...alarm,
    openedAt: "2026-03-01T10:40:00Z",
    value: 9,
    corrections: [{ recordedAt: "2026-03-01T12:00:00Z", before: { opened_at: "2026-03-01T10:00:00+00:00", cleared_at: null, value: 3 }, after: {} }],
  };
  expect(wasOpen(corrected, seen)).toBe(true);
  expect(asSeen(corrected, seen)).toMatchObject({ state: "ACKNOWLEDGED", openedAt: "2026-03-01T10:00:00+00:00", value: 3, clearedAt: null });
  expect(asSeen(alarm, { mode: "true", at: microsOf("2026-03-01T10:10:00Z") }).state).toBe("OPEN");
});
