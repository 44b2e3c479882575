import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { holds } from "../time/holds";
import { lanesOf, roundedRange, supplyBands, type SupplyVersion } from "./supply";

const END = 24;
const instant = fc.integer({ min: 0, max: END });

const version: fc.Arbitrary<SupplyVersion> = fc
  .record({
    id: fc.uuid(),
    device: fc.constantFrom("d1", "d2"),
    port: fc.constantFrom(null, 1, 2),
    relationship: fc.constantFrom("MONITORED_BY", "CONTROLLED_BY"),
    metrics: fc.constantFrom(null, ["a"], ["a", "b"], ["b", "a"]),
    validFrom: instant,
    length: fc.option(fc.integer({ min: 0, max: 10 })),
    recordedAt: instant,
    believed: fc.option(fc.integer({ min: 1, max: 10 })),
  })
  .map((drawn) => ({
    id: drawn.id,
    edgeId: drawn.id,
    device: { id: drawn.device, name: drawn.device },
    port: drawn.port,
    relationship: drawn.relationship,
    metrics: drawn.metrics,
    validFrom: drawn.validFrom,
    validUntil: drawn.length === null ? null : drawn.validFrom + drawn.length,
    recordedAt: drawn.recordedAt,
    retractedAt: drawn.believed === null ? null : drawn.recordedAt + drawn.believed,
  }));

const range = fc.tuple(instant, fc.integer({ min: 1, max: END })).map(([from, length]) => ({ from, to: from + length }));

/** The plain oracle: what a band is called, asked of every version at one instant. */
function suppliersAt(versions: readonly SupplyVersion[], at: number, knownAt: number | null): string[] {
  const names = versions
    .filter((each) => holds(each, at, knownAt))
    .map((each) => `${each.device.id} ${each.port ?? ""} ${each.relationship} ${each.metrics === null ? "*" : [...each.metrics].sort().join(",")}`);
  return [...new Set(names)].sort();
}

describe("bands of supply", () => {
  test("cover at every instant what holds there, up to the moment shown", () => {
    fc.assert(
      fc.property(fc.array(version, { maxLength: 12 }), range, instant, fc.option(instant), (versions, window, asOf, knownAt) => {
        const bands = supplyBands(versions, window, asOf, knownAt);
        for (let at = 0; at < 2 * END; at++) {
          const isShown = window.from <= at && at < window.to && at <= asOf;
          const covering = bands.filter((band) => band.from <= at && at < band.until).map((band) => band.key);
          expect([...covering].sort()).toEqual(isShown ? suppliersAt(versions, at, knownAt) : []);
        }
      }),
      { numRuns: 600 },
    );
  });

  test("are whole: two of one supplier neither touch nor overlap, and say where they began and ended", () => {
    fc.assert(
      fc.property(fc.array(version, { maxLength: 12 }), range, instant, fc.option(instant), (versions, window, asOf, knownAt) => {
        const bands = supplyBands(versions, window, asOf, knownAt);
        for (const band of bands) {
          expect(band.validFrom).toBeLessThanOrEqual(band.from);
          // The instant before it began and the one at which it ended have another supplier, or none.
          expect(suppliersAt(versions, band.validFrom - 1, knownAt)).not.toContain(band.key);
          expect(suppliersAt(versions, band.validFrom, knownAt)).toContain(band.key);
          if (band.validUntil !== null) expect(suppliersAt(versions, band.validUntil, knownAt)).not.toContain(band.key);
          else expect(suppliersAt(versions, 1000, knownAt)).toContain(band.key);
          expect(versions.map((each) => each.id)).toContain(band.versionId);
        }
      }),
      { numRuns: 400 },
    );
  });

  test("do not depend on the order of the versions", () => {
    fc.assert(
      fc.property(fc.array(version, { maxLength: 10 }), range, instant, (versions, window, asOf) => {
        const turned = supplyBands([...versions].reverse(), window, asOf, null);
        expect(lanesOf(turned)).toEqual(lanesOf(supplyBands(versions, window, asOf, null)));
      }),
    );
  });

  test("are each in the lane of their device and port", () => {
    fc.assert(
      fc.property(fc.array(version, { maxLength: 12 }), range, (versions, window) => {
        const bands = supplyBands(versions, window, window.to, null);
        const lanes = lanesOf(bands);
        expect(lanes.flatMap((lane) => lane.bands)).toHaveLength(bands.length);
        for (const lane of lanes) {
          for (const band of lane.bands) expect([band.device.id, band.port]).toEqual([lane.device.id, lane.port]);
        }
        expect(new Set(lanes.map((lane) => lane.key)).size).toBe(lanes.length);
      }),
    );
  });

  test("of a device that was exchanged and corrected later are others by the belief then", () => {
    const common = { edgeId: "e1", port: null, relationship: "MONITORED_BY", metrics: null };
    const old = { id: "old", name: "Old meter" };
    const made = { id: "new", name: "New meter" };
    const versions: SupplyVersion[] = [
      { ...common, id: "1", device: old, validFrom: 0, validUntil: 50, recordedAt: 0, retractedAt: 80 },
      { ...common, id: "2", device: made, validFrom: 50, validUntil: null, recordedAt: 0, retractedAt: 80 },
      { ...common, id: "3", device: old, validFrom: 0, validUntil: 20, recordedAt: 80, retractedAt: null },
      { ...common, id: "4", device: made, validFrom: 20, validUntil: null, recordedAt: 80, retractedAt: null },
    ];
    const at = (knownAt: number | null) =>
      supplyBands(versions, { from: 10, to: 100 }, 60, knownAt).map((band) => [band.device.name, band.from, band.until]);
    expect(at(null)).toEqual([["Old meter", 10, 20], ["New meter", 20, 61]]);
    expect(at(60)).toEqual([["Old meter", 10, 50], ["New meter", 50, 61]]);
  });
});

test("a rounded range holds the range and stays while a live window moves", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4e15 }), fc.integer({ min: 1, max: 4e13 }), (from, length) => {
      const rounded = roundedRange(from, from + length);
      expect(rounded.from).toBeLessThanOrEqual(from);
      expect(rounded.to).toBeGreaterThan(from + length);
      expect(rounded.to - rounded.from).toBeLessThanOrEqual(3 * Math.max(2 * length, 60e6));
    }),
  );
});
