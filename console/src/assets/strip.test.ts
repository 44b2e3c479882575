import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { holds } from "../time/holds";
import { supplierKey, suppliersOf, supplyRangesOf, type SupplierVersion, suppliersAt } from "./strip";

const FROM = 10;
const TO = 40;

const version = fc
  .record({
    deviceId: fc.constantFrom("d1", "d2", "d3"),
    port: fc.constantFrom(null, 1, 2),
    validFrom: fc.integer({ min: 0, max: 50 }),
    length: fc.option(fc.integer({ min: 1, max: 40 }), { nil: null }),
    recordedAt: fc.integer({ min: 0, max: 50 }),
    believedFor: fc.option(fc.integer({ min: 1, max: 40 }), { nil: null }),
  })
  .map(({ length, believedFor, ...rest }) => ({
    ...rest,
    validUntil: length === null ? null : rest.validFrom + length,
    retractedAt: believedFor === null ? null : rest.recordedAt + believedFor,
  }));
const versions = fc
  .array(version, { maxLength: 12 })
  .map((list) => list.map((version, index): SupplierVersion => ({ ...version, id: `v${String(index).padStart(2, "0")}`, edgeId: `e${index}` })));
const knownAt = fc.option(fc.integer({ min: 0, max: 90 }), { nil: null });

/** The plain oracle: who is linked at one instant, by looking at every version. */
function oracle(list: readonly SupplierVersion[], at: number, known: number | null): string[] {
  return [...new Set(list.filter((version) => holds(version, at, known)).map(supplierKey))].sort();
}

describe("suppliersOf", () => {
  it("has at every instant of the window the suppliers that the oracle finds", () => {
    fc.assert(
      fc.property(versions, knownAt, (list, known) => {
        const suppliers = suppliersOf(list, FROM, TO, known);
        for (let at = FROM; at < TO; at++) expect(suppliersAt(suppliers, at).sort()).toEqual(oracle(list, at, known));
        expect(suppliersAt(suppliers, FROM - 1)).toEqual([]);
        expect(suppliersAt(suppliers, TO)).toEqual([]);
      }),
    );
  });
  it("has disjoint bands in order, within the window", () => {
    fc.assert(
      fc.property(versions, knownAt, (list, known) => {
        for (const supplier of suppliersOf(list, FROM, TO, known)) {
          let end = FROM - 1;
          for (const band of supplier.bands) {
            expect(band.from).toBeGreaterThan(end);
            expect(band.until).toBeGreaterThan(band.from);
            end = band.until;
          }
          expect(end).toBeLessThanOrEqual(TO);
        }
      }),
    );
  });
  it("says of a band that it goes on exactly where one of its versions does", () => {
    fc.assert(
      fc.property(versions, knownAt, (list, known) => {
        for (const supplier of suppliersOf(list, FROM, TO, known)) {
          const goesOn = list.some(
            (version) => supplierKey(version) === supplier.key && holds(version, TO - 1, known) && (version.validUntil === null || version.validUntil > TO),
          );
          expect(supplier.bands.some((band) => band.isOpen)).toBe(goesOn);
        }
      }),
    );
  });
  it("keeps its suppliers and their order whatever is believed, and whatever the order of the versions", () => {
    fc.assert(
      fc.property(versions, knownAt, knownAt, (list, a, b) => {
        const keys = suppliersOf(list, FROM, TO, a).map((supplier) => supplier.key);
        expect(suppliersOf([...list].reverse(), FROM, TO, b).map((supplier) => supplier.key)).toEqual(keys);
        expect([...keys].sort()).toEqual([...new Set(list.map(supplierKey))].sort());
      }),
    );
  });
});

describe("supplyRangesOf", () => {
  it("covers the window without gap or overlap, and says at every instant what the oracle says", () => {
    fc.assert(
      fc.property(versions, knownAt, (list, known) => {
        const ranges = supplyRangesOf(suppliersOf(list, FROM, TO, known), FROM, TO);
        expect(ranges[0]?.from).toBe(FROM);
        expect(ranges.at(-1)?.until).toBe(TO);
        for (let at = FROM; at < TO; at++) {
          const here = ranges.filter((range) => range.from <= at && at < range.until);
          expect(here.length).toBe(1);
          expect([...(here[0]?.keys ?? [])].sort()).toEqual(oracle(list, at, known));
        }
        for (let index = 1; index < ranges.length; index++) {
          expect(ranges[index]?.from).toBe(ranges[index - 1]?.until);
          expect(ranges[index]?.keys).not.toEqual(ranges[index - 1]?.keys);
        }
      }),
    );
  });
  it("has nothing of an empty window", () => {
    expect(supplyRangesOf([], 5, 5)).toEqual([]);
  });
});

it("shows a correction as the belief at each moment had it", () => {
  const base = { edgeId: "e", validUntil: null, port: null };
  const list: SupplierVersion[] = [
    { ...base, id: "a", deviceId: "old", validFrom: 0, recordedAt: 0, retractedAt: 30 },
    { ...base, id: "b", deviceId: "old", validFrom: 0, validUntil: 20, recordedAt: 30, retractedAt: null },
    { ...base, id: "c", edgeId: "f", deviceId: "new", validFrom: 20, recordedAt: 30, retractedAt: null },
  ];
  const seen = (known: number | null) => supplyRangesOf(suppliersOf(list, FROM, TO, known), FROM, TO).map(({ from, keys }) => [from, ...keys]);
  expect(seen(25)).toEqual([[10, "old "]]);
  expect(seen(null)).toEqual([[10, "old "], [20, "new "]]);
});
