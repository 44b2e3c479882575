import fc from "fast-check";
import { expect, test } from "vitest";
import { changeInstants, current, happened, learned } from "./diff";
import { type EdgeVersion, holds } from "./holds";
import { microsOf, textOf } from "./instant";
import { LIVE, coordinatesOf, momentOf, searchOf } from "./moment";

const at = fc.integer({ min: 0, max: 40 });
const version: fc.Arbitrary<EdgeVersion> = fc
  .record({
    edge: fc.integer({ min: 0, max: 5 }),
    validFrom: at,
    valid: fc.option(fc.integer({ min: 1, max: 20 })),
    recordedAt: at,
    believed: fc.option(fc.integer({ min: 1, max: 20 })),
    id: fc.uuid(),
  })
  .map(({ edge, validFrom, valid, recordedAt, believed, id }) => ({
    id,
    edgeId: String(edge),
    validFrom,
    validUntil: valid === null ? null : validFrom + valid,
    recordedAt,
    retractedAt: believed === null ? null : recordedAt + believed,
  }));
const versions = fc.array(version, { maxLength: 12 });

/** The plain oracle: the ranges written out as sets of instants. */
function holdsByCounting(version: EdgeVersion, asOf: number, knownAt: number | null): boolean {
  const valid = new Set(Array.from({ length: 200 }, (_, n) => n).filter((n) => n >= version.validFrom && (version.validUntil === null || n < version.validUntil)));
  const believed = new Set(Array.from({ length: 200 }, (_, n) => n).filter((n) => n >= version.recordedAt && (version.retractedAt === null || n < version.retractedAt)));
  return valid.has(asOf) && (knownAt === null ? version.retractedAt === null : believed.has(knownAt));
}

test("a version holds at (t, k) as its ranges written out say", () => {
  fc.assert(
    fc.property(version, at, fc.option(at), (version, asOf, knownAt) => {
      expect(holds(version, asOf, knownAt)).toBe(holdsByCounting(version, asOf, knownAt));
    }),
    { numRuns: 1000 },
  );
});

test("what versions before, with what happened since, is what holds now", () => {
  const edgesOf = (versions: readonly EdgeVersion[]) => versions.map(({ edgeId }) => edgeId).sort();
  fc.assert(
    fc.property(versions, at, at, fc.option(at), (all, a, b, knownAt) => {
      const [from, to] = a < b ? [a, b] : [b, a];
      const ids = edgesOf(current(all, from, knownAt));
      // Of all that ends and begins meanwhile, whatever its order.
      const changes = happened(all, from, to, knownAt);
      ids.push(...edgesOf(changes.filter(({ what }) => what === "began").map(({ version }) => version)));
      for (const { version } of changes.filter(({ what }) => what === "ended")) ids.splice(ids.indexOf(version.edgeId), 1);
      expect(ids.sort()).toEqual(edgesOf(current(all, to, knownAt)));
    }),
  );
});

test("an edge that goes on as another version of itself has neither ended nor begun", () => {
  const part = { edgeId: "e", recordedAt: 0, retractedAt: null };
  const split: EdgeVersion[] = [
    { ...part, id: "a", validFrom: 5, validUntil: 10 },
    { ...part, id: "b", validFrom: 10, validUntil: 20 },
    { ...part, id: "c", edgeId: "f", validFrom: 10, validUntil: null },
  ];
  expect(happened(split, 0, 30, null).map(({ at, what, version }) => [at, what, version.id])).toEqual([
    [5, "began", "a"],
    [10, "began", "c"],
    [20, "ended", "b"],
  ]);
});

test("what was believed before, with what was learned since, is what is believed later", () => {
  fc.assert(
    fc.property(versions, at, at, at, (all, a, b, asOf) => {
      const [from, to] = a < b ? [a, b] : [b, a];
      const ids = new Set(current(all, asOf, from).map((version) => version.id));
      for (const change of learned(all, from, to)) {
        if (change.what === "superseded") ids.delete(change.version.id);
        else if (holds(change.version, asOf, change.at)) ids.add(change.version.id);
      }
      expect([...ids].sort()).toEqual(current(all, asOf, to).map((version) => version.id).sort());
    }),
  );
});

test("between two instants at which the graph changed, the same holds", () => {
  fc.assert(
    fc.property(versions, fc.option(at), (all, knownAt) => {
      const marks = [0, ...changeInstants(all, 0, 100, knownAt), 100];
      for (let index = 1; index < marks.length; index++) {
        const first = current(all, marks[index - 1] as number, knownAt);
        const last = current(all, (marks[index] as number) - 1, knownAt);
        expect(last.map((version) => version.id)).toEqual(first.map((version) => version.id));
      }
    }),
  );
});

test("an instant is read and written to the microsecond", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4_102_444_800_000_000 }), (instant) => {
      expect(microsOf(textOf(instant))).toBe(instant);
    }),
  );
  expect(microsOf("2026-03-29T02:30:00.1+02:00")).toBe(microsOf("2026-03-29T00:30:00.100000Z"));
  expect(() => microsOf("2026-03-29")).toThrow(RangeError);
  expect(() => microsOf("2026-03-29T02:30:00")).toThrow(RangeError);
});

test("a moment is in the address as it is, and what cannot be read is live", () => {
  for (const mode of ["true", "seen"] as const) {
    const moment = { mode, at: microsOf("2026-03-01T10:00:00.000001Z") };
    expect(momentOf(searchOf(moment))).toEqual(moment);
  }
  expect(momentOf(searchOf(LIVE))).toEqual(LIVE);
  expect(momentOf({ at: "yesterday" })).toEqual(LIVE);
  const at = microsOf("2026-03-01T10:00:00Z");
  expect(coordinatesOf({ mode: "true", at })).toEqual({ asOf: "2026-03-01T10:00:00Z", knownAt: null });
  expect(coordinatesOf({ mode: "seen", at })).toEqual({ asOf: "2026-03-01T10:00:00Z", knownAt: "2026-03-01T10:00:00Z" });
});
