import { expect, test } from "vitest";
import { alarm } from "./alarm.sample";
import { type Update, unanswered, withUpdates } from "./updates";

const cleared = alarm(5, { state: "CLEARED", clearedAt: "2026-01-01T00:00:00Z" });
const updatesOf = (...updates: Update[]) => new Map(updates.map((update) => [update.alarm.id, update]));

test("an update is newer than the answer before it, also where the alarm opened again", () => {
  expect(withUpdates([cleared], updatesOf({ alarm: alarm(5), at: 10 })).get("e5")?.state).toBe("OPEN");
  expect(withUpdates([alarm(5)], updatesOf({ alarm: cleared, at: 10 })).get("e5")?.state).toBe("CLEARED");
});

test("an answer that was requested later replaces the update: a reopened alarm is not hidden", () => {
  const updates = updatesOf({ alarm: cleared, at: 10 });
  expect(withUpdates([alarm(5)], unanswered(updates, [alarm(5)], true, 20)).get("e5")?.state).toBe("OPEN");
  // One that came while the answer was on its way stays.
  expect(unanswered(updates, [alarm(5)], true, 5)).toBe(updates);
});

test("what a complete answer no longer has is gone; what a first page cannot have stays", () => {
  const updates = updatesOf({ alarm: alarm(5), at: 10 }, { alarm: alarm(1), at: 10 });
  expect([...unanswered(updates, [alarm(3)], true, 20).keys()]).toEqual([]);
  expect([...unanswered(updates, [alarm(3)], false, 20).keys()]).toEqual(["e1"]);
});
