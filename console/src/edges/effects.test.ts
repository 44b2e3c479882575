import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countRange, effectsOf, type Interval, metricsOf, minus, overlaps, pointsOf } from "./effects";

const interval = fc
  .tuple(fc.integer({ min: 0, max: 30 }), fc.option(fc.integer({ min: 1, max: 30 }), { nil: null }))
  .map(([from, length]): Interval => ({ from, until: length === null ? null : from + length }));
const holds = (range: Interval | null, at: number) => range !== null && range.from <= at && (range.until === null || at < range.until);

describe("minus", () => {
  it("has each instant of the one that is not of the other, once", () => {
    fc.assert(
      fc.property(fc.option(interval, { nil: null }), fc.option(interval, { nil: null }), fc.integer({ min: 0, max: 80 }), (a, b, at) => {
        const parts = minus(a, b).filter((part) => holds(part, at));
        expect(parts.length).toBe(holds(a, at) && !holds(b, at) ? 1 : 0);
      }),
    );
  });
});

it("finds ranges that overlap, as instants do", () => {
  fc.assert(
    fc.property(interval, interval, (a, b) => {
      const instants = Array.from({ length: 100 }, (_, at) => at);
      expect(overlaps(a, b)).toBe(instants.some((at) => holds(a, at) && holds(b, at)));
    }),
  );
});

describe("effectsOf", () => {
  const link = { entity: { id: "b", name: "Boiler B" }, device: { id: "d", name: "Probe" }, port: null, metrics: null };
  it("says what a link that began earlier brings", () => {
    expect(effectsOf(link, { from: 50, until: null }, { from: 20, until: null })).toEqual([{ ...link, what: "gains", from: 20, until: 50 }]);
  });
  it("says what a retraction takes", () => {
    expect(effectsOf(link, { from: 50, until: 60 }, null)).toEqual([{ ...link, what: "loses", from: 50, until: 60 }]);
  });
  it("says nothing where nothing changes", () => {
    expect(effectsOf(link, { from: 5, until: null }, { from: 5, until: null })).toEqual([]);
  });
});

it("counts the points that pass, of the port that is linked", () => {
  const series = [
    { metric: "t", port: 1, values: [3, null, 4] },
    { metric: "t", port: null, values: [100] },
    { metric: "h", port: 1, values: [5] },
  ];
  expect(pointsOf(series, { port: 1, metrics: null })).toBe(12);
  expect(pointsOf(series, { port: 1, metrics: ["t"] })).toBe(7);
  expect(pointsOf(series, { port: null, metrics: null })).toBe(100);
});

it("reads which metrics a link lets pass", () => {
  expect(metricsOf({ metrics_mapping: { t: "supply_temperature" } })).toEqual(["t"]);
  expect(metricsOf({})).toBeNull();
});

it("counts up to now, in few buckets", () => {
  expect(countRange({ from: 0, until: null }, 3600e6)).toEqual({ from: "1970-01-01T00:00:00Z", to: "1970-01-01T01:00:00Z", bucket: "PT1M" });
  expect(countRange({ from: 10, until: null }, 10)).toBeNull();
});
