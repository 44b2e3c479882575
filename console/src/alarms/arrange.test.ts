import fc from "fast-check";
import { expect, test } from "vitest";
import type { Alarm } from "./alarm";
import { alarm } from "./alarm.sample";
import { arrange } from "./arrange";
import { groupsOf, linesOf } from "./groups";

const mapOf = (alarms: Alarm[]) => new Map(alarms.map((entry) => [entry.id, entry]));
const isOpen = ({ state }: Alarm) => state === "OPEN";

test("nothing moves while the list is frozen, and nothing is lost when it is let go", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 500 })), fc.uniqueArray(fc.integer({ min: 0, max: 500 })), (first, later) => {
      const before = arrange(mapOf(first.map((number) => alarm(number))), isOpen, [], false);
      const ids = before.shown.map(({ id }) => id);
      // The first of what is shown has cleared meanwhile, and others came.
      const all = mapOf([...first.map((number) => alarm(number)), ...later.filter((number) => !first.includes(number)).map((number) => alarm(number))]);
      const gone = ids[0];
      if (gone !== undefined) all.set(gone, { ...(all.get(gone) as Alarm), state: "CLEARED" });
      const frozen = arrange(all, isOpen, before.shown, ids.length > 0);
      expect(frozen.shown.slice(0, ids.length).map(({ id }) => id)).toEqual(ids);
      const released = arrange(all, isOpen, before.shown, false);
      expect(released.waiting).toBe(0);
      expect(released.shown.map(({ id }) => id).includes(gone ?? "")).toBe(false);
      if (ids.length > 0) expect(frozen.shown.length + frozen.waiting - 1).toBe(released.shown.length);
    }),
  );
});

test("what is in no answer any more keeps its place while the list is frozen, marked as gone", () => {
  const shown = [alarm(3), alarm(2), alarm(1)];
  const all = mapOf([alarm(4), alarm(3), alarm(1, { state: "CLEARED" })]);
  const frozen = arrange(all, isOpen, shown, true);
  expect(frozen.shown.map(({ id }) => id)).toEqual(["e3", "e2", "e1"]);
  expect([...frozen.gone]).toEqual(["e2", "e1"]);
  expect(frozen.waiting).toBe(1);
  expect(arrange(all, isOpen, shown, false).shown.map(({ id }) => id)).toEqual(["e4", "e3"]);
});

test("groups keep their places while the list is frozen, and the most serious comes first else", () => {
  const alarms = [alarm(3), alarm(2), alarm(1), alarm(0, { severity: "CRITICAL" })];
  const free = groupsOf(alarms, "asset", new Map(), null);
  expect(free.map((group) => group.id)).toEqual(["a0", "a2", "a1"]);
  const frozen = groupsOf([...alarms, alarm(4, { severity: "CRITICAL" })], "asset", new Map(), ["a1", "a2", "a0"]);
  expect(frozen.map((group) => group.id)).toEqual(["a1", "a2", "a0"]);
});

test("a flood of one rule over many assets is one line, and neither forms nor ends while the list is frozen", () => {
  const at = (number: number, rule = "r") =>
    alarm(number, { rule: { id: rule, name: rule }, entity: { id: `a${number}`, kind: "ASSET", name: `Asset ${number}`, type: null } });
  const flood = Array.from({ length: 30 }, (_, number) => at(number));
  const other = at(40, "other");
  const folded = groupsOf([other, ...flood], "asset", new Map(), null, true);
  expect(folded.map((group) => [group.id, group.alarms.length])).toEqual([["a40", 1], ["flood-r", 30]]);
  // Where nobody asked for floods, and where there are few, each asset is a group.
  expect(groupsOf(flood, "asset", new Map(), null)).toHaveLength(30);
  expect(groupsOf(flood.slice(0, 20), "asset", new Map(), null, true)).toHaveLength(20);
  const few = flood.slice(20);
  const order = groupsOf(few, "asset", new Map(), null, true).map((group) => group.id);
  expect(groupsOf(flood, "asset", new Map(), order, true).slice(0, 10).map((group) => group.id)).toEqual(order);
  expect(groupsOf(few, "asset", new Map(), ["flood-r"], true).map((group) => group.id)).toEqual(["flood-r"]);
});

test("a flood at one asset is one line", () => {
  const flood = groupsOf(
    Array.from({ length: 2000 }, (_, number) => alarm(number * 3)),
    "asset",
    new Map(),
    null,
  );
  expect(linesOf(flood, new Map())).toHaveLength(1);
  expect(linesOf(flood, new Map([["a0", false]]))).toHaveLength(2001);
});
