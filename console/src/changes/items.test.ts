import { expect, test } from "vitest";
import { microsOf } from "../time/instant";
import { bundled, type ChangeOfRange, type EventOfRange, happenedEntries, learnedEntries, sortOf, versionsOfTrail } from "./items";

const pump = { id: "pump", kind: "ASSET", name: "Pump" };
const sensor = { id: "sensor", kind: "DEVICE", name: "Sensor" };
const edge = { id: "v2", edgeId: "edge", relationship: "MONITORED_BY", port: null, source: pump, target: sensor };
const range = { from: microsOf("2026-03-01T00:00:00Z"), to: microsOf("2026-03-03T00:00:00Z") };

const correction: ChangeOfRange = {
  id: "c1",
  recordedAt: "2026-03-02T08:00:00Z",
  actor: "ada",
  action: "corrected",
  before: { sourceId: "pump", targetId: "sensor", validFrom: "2026-01-01T00:00:00+00:00", validUntil: null },
  after: { sourceId: "pump", targetId: "sensor", validFrom: "2026-03-01T12:00:00+00:00", validUntil: null },
  reason: "mounted later",
  subject: { __typename: "Edge", ...edge },
};
const withdrawn: EventOfRange = {
  id: "e1",
  state: "WITHDRAWN",
  severity: "HIGH",
  openedAt: "2026-02-01T00:00:00Z",
  detectedAt: "2026-02-01T00:00:00Z",
  clearedAt: "2026-02-01T01:00:00Z",
  withdrawnAt: "2026-03-02T08:00:03Z",
  rule: { id: "r", name: "Too hot" },
  entity: pump,
  corrections: [{ recordedAt: "2026-03-02T08:00:03Z", before: { withdrawn: false }, after: { withdrawn: true } }],
};
const open: EventOfRange = { ...withdrawn, id: "e2", state: "OPEN", openedAt: "2026-03-01T06:00:00Z", clearedAt: null, withdrawnAt: null, corrections: [] };

test("a corrected link is learned, with the alarm that was withdrawn because of it", () => {
  const items = learnedEntries([correction], [withdrawn, open, withdrawn], range);
  expect(items.map((item) => [item.key, item.sort])).toEqual([
    ["e1 2026-03-02T08:00:03Z", "alarms"],
    ["c1", "links"],
  ]);
  expect(items[1]).toMatchObject({ followed: [{ id: "e1" }] });
});

test("what happened is listed by event time, without alarms that never were", () => {
  const items = happenedEntries([withdrawn, open], versionsOfTrail([correction]), { ...range, knownAt: null });
  expect(items.map((item) => [item.what, item.sort])).toEqual([
    ["began", "links"],
    ["opened", "alarms"],
  ]);
});

test("a link that was retracted did not happen", () => {
  expect(versionsOfTrail([{ ...correction, action: "retracted" }])).toEqual([]);
});

test("what is gone is sorted by its last state", () => {
  expect(sortOf({ ...correction, subject: null, before: { relationship: "FEEDS", sourceId: "a" }, after: null })).toBe("links");
  expect(sortOf({ ...correction, subject: null, before: { kind: "DEVICE", externalId: null }, after: null })).toBe("entities");
  expect(sortOf({ ...correction, subject: { __typename: "Rule", id: "r" } })).toBe("settings");
});

test("four or more that came at once are one bundle", () => {
  const items = ["a", "a", "a", "a", "b", "b", "c"].map((name, index) => ({ key: `${index}`, name }));
  expect(bundled(items, (item) => item.name).map((bundle) => bundle.items.length)).toEqual([4, 1, 1, 1]);
});
