import fc from "fast-check";
import { expect, test } from "vitest";
import { aligned, filled, gapsOf, isolatedIn, lastText, spoken, valueText } from "./ChartData";

const times = fc.uniqueArray(fc.integer({ min: 0, max: 40 }), { maxLength: 25 }).map((drawn) => drawn.sort((a, b) => a - b));
const drawnSeries = fc.array(times, { minLength: 1, maxLength: 4 });

test("each series keeps its points on the common axis, and a gap is marked once behind the point before it", () => {
  let into: ReturnType<typeof aligned> | undefined;
  fc.assert(
    fc.property(drawnSeries, fc.option(fc.integer({ min: 2, max: 9 }), { nil: undefined }), (drawn, gapMs) => {
      const series = drawn.map((timestamps, place) => ({ timestamps, values: timestamps.map((at) => at * 10 + place) }));
      // The arrays of the drawing before are filled again.
      into = aligned(series, gapMs === undefined ? undefined : series.map(() => gapMs), into);
      const [xs, ...columns] = into as [number[], ...(number | null | undefined)[][]];
      expect([...xs]).toEqual([...new Set(xs)].sort((a, b) => a - b));
      series.forEach((one, place) => {
        const column = columns[place] ?? [];
        expect(column.length).toBe(xs.length);
        const own = [...xs].map((at, row): [number, number | null | undefined] => [at, column[row]]).filter(([, value]) => typeof value === "number");
        expect(own).toEqual(one.timestamps.map((at, index) => [at, one.values[index]]));
        const marks = [...xs].filter((_, row) => column[row] === null);
        const gaps = one.timestamps.filter((at, index) => gapMs !== undefined && (one.timestamps[index + 1] ?? at) - at > gapMs);
        expect(marks).toEqual(gaps.map((at) => at + 1));
      });
    }),
  );
});

test("what is a gap goes by how often the points of a series come, and is never less than a bucket", () => {
  const often = { timestamps: Array.from({ length: 500 }, (_, n) => n * 10), values: [] };
  const seldom = { timestamps: [0, 90, 180, 270, 900, 990], values: [] };
  expect(gapsOf([often, seldom, { timestamps: [], values: [] }, { timestamps: [5], values: [] }], 15)).toEqual([25, 225, 15, 15]);
});

test("empty buckets are no points", () => {
  expect(filled({ timestamps: [1, 2, 3], values: [Number.NaN, 5, null] })).toEqual({ timestamps: [2], values: [5] });
  const whole = { timestamps: [1], values: new Float64Array([2]) };
  expect(filled(whole)).toBe(whole);
});

test("series with one device's timestamps are drawn from the arrays they are in", () => {
  const timestamps = new Float64Array([1, 2]);
  const values = new Float64Array([3, 4]);
  const [xs, first, second] = aligned([
    { timestamps, values },
    { timestamps: new Float64Array([1, 2]), values: new Float64Array([5, Number.NaN]) },
  ]);
  expect(xs).toBe(timestamps);
  expect(first).toBe(values);
  expect([...(second ?? [])]).toEqual([5, null]);
});

test("what is spoken leaves gaps out", () => {
  const series = { key: "a", label: "flow", unit: "l/s", timestamps: [1, 2, 3], values: new Float64Array([4, 2, Number.NaN]) };
  expect(lastText(series)).toBe("2 l/s");
  expect(spoken("Flow", [series])).toBe("Chart of Flow. flow: 2 values from 2 to 4, last 2 l/s. Press t for a table.");
});


test("what is on or off is said as such; between the two it is the share of a bucket", () => {
  const series = { key: "a", label: "running", unit: null, isSwitch: true, timestamps: [1, 2, 3], values: [0, 1, 0.25] };
  expect(series.values.map((value) => valueText(value, series))).toEqual(["off", "on", "on 25 %"]);
  expect(lastText(series)).toBe("on 25 %");
  expect(spoken("on / off", [series])).toBe("Chart of on / off. running: 3 values, last on 25 %. Press t for a table.");
});

test("points between gaps are isolated, those on a line are not", () => {
  expect(isolatedIn([1, null, 2, 3, null, undefined, 4, undefined, null, 5, undefined, 6], 0, 11)).toEqual([0, 6]);
  expect(isolatedIn([1, null, 2, null, 3], 1, 3)).toEqual([2]);
  expect(isolatedIn([], 0, -1)).toEqual([]);
});
