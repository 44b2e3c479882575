import fc from "fast-check";
import { expect, it } from "vitest";
import { linksByPort, packed, place } from "./portLinks";

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
      const byPort = linksByPort(versions, knownAt);
      const shown = byPort.flatMap((links) => [...links.believed, ...links.superseded].flat());
      expect(new Set(shown)).toEqual(new Set(versions.filter((version) => knownAt === null || version.recordedAt <= knownAt)));
      for (const row of byPort.flatMap((links) => [...links.believed, ...links.superseded])) {
        row.slice(1).forEach((version, index) => expect(row[index]?.validUntil ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(version.validFrom));
      }
      expect(byPort.map((links) => links.port)).toEqual([...new Set(byPort.map((links) => links.port))].sort((a, b) => (a ?? -1) - (b ?? -1)));
    }),
  );
  expect(packed([])).toEqual([]);
});

it("places instants between the ends of the axis", () => {
  expect([place(5, 0, 10), place(-1, 0, 10), place(11, 0, 10)]).toEqual([50, 0, 100]);
});
