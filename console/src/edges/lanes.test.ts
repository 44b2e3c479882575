import fc from "fast-check";
import { expect, it } from "vitest";
import { lanesOf, packed, place } from "./lanes";

const version = fc
  .record({
    port: fc.option(fc.integer({ min: 1, max: 3 }), { nil: null }),
    from: fc.integer({ min: 0, max: 50 }),
    length: fc.option(fc.integer({ min: 1, max: 20 }), { nil: null }),
    recordedAt: fc.integer({ min: 0, max: 50 }),
    retracted: fc.option(fc.integer({ min: 1, max: 20 }), { nil: null }),
  })
  .map((drawn) => ({
    id: "",
    edgeId: "",
    edge: { port: drawn.port },
    validFrom: drawn.from,
    validUntil: drawn.length === null ? null : drawn.from + drawn.length,
    recordedAt: drawn.recordedAt,
    retractedAt: drawn.retracted === null ? null : drawn.recordedAt + drawn.retracted,
  }));

it("shows every version that was recorded once, and none over another", () => {
  fc.assert(
    fc.property(fc.array(version), fc.option(fc.integer({ min: 0, max: 60 }), { nil: null }), (versions, knownAt) => {
      const lanes = lanesOf(versions, knownAt);
      const shown = lanes.flatMap((lane) => [...lane.believed, ...lane.superseded].flat());
      expect(new Set(shown)).toEqual(new Set(versions.filter((each) => knownAt === null || each.recordedAt <= knownAt)));
      for (const row of lanes.flatMap((lane) => [...lane.believed, ...lane.superseded])) {
        row.slice(1).forEach((each, index) => expect(row[index]?.validUntil ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(each.validFrom));
      }
      expect(lanes.map((lane) => lane.port)).toEqual([...new Set(lanes.map((lane) => lane.port))].sort((a, b) => (a ?? -1) - (b ?? -1)));
    }),
  );
  expect(packed([])).toEqual([]);
});

it("places instants between the ends of the axis", () => {
  expect([place(5, 0, 10), place(-1, 0, 10), place(11, 0, 10)]).toEqual([50, 0, 100]);
});
