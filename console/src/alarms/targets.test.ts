import { expect, test } from "vitest";
import { alarm } from "./alarm.sample";
import { groupsOf, linesOf } from "./groups";
import { targetsOf } from "./targets";

const NO_FOLDS = new Map<string, boolean>();
const linesIn = (alarms: ReturnType<typeof alarm>[]) => linesOf(groupsOf(alarms, "asset", new Map(), null), NO_FOLDS);

test("an action acts on what is selected, else on the active line, and never on what is no longer listed", () => {
  const alarms = [alarm(6), alarm(4), alarm(3), alarm(0)];
  const lines = linesIn(alarms);
  expect(targetsOf(alarms, lines, new Set(), null)).toEqual([]);
  expect(targetsOf(alarms, lines, new Set(), "group-a0").map(({ id }) => id)).toEqual(["e6", "e3", "e0"]);
  expect(targetsOf(alarms, lines, new Set(["e4"]), "group-a0").map(({ id }) => id)).toEqual(["e4"]);
  // A filter leaves two of the group and none of what was selected.
  const fewer = [alarm(6), alarm(3)];
  expect(targetsOf(fewer, linesIn(fewer), new Set(["e4"]), "group-a0").map(({ id }) => id)).toEqual(["e6", "e3"]);
  expect(targetsOf([alarm(4)], linesIn([alarm(4)]), new Set(["e6"]), "group-a0")).toEqual([]);
});

test("an alarm is acted on as it is now, not as it was when it became active", () => {
  const [now] = targetsOf([alarm(1, { state: "ACKNOWLEDGED" })], linesIn([alarm(1, { state: "ACKNOWLEDGED" })]), new Set(), "e1");
  expect(now?.state).toBe("ACKNOWLEDGED");
});
