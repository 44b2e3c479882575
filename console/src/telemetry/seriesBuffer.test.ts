import fc from "fast-check";
import { expect, test } from "vitest";
import { SeriesBuffer } from "./seriesBuffer";

const points = fc.array(fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: -9, max: 9 })), { maxLength: 80 });

test("points in any order and batches end up as a plain map has them", () => {
  fc.assert(
    fc.property(points, fc.integer({ min: 1, max: 7 }), fc.integer({ min: 0, max: 60 }), (drawn, size, from) => {
      const buffer = new SeriesBuffer();
      const oracle = new Map<number, number>();
      for (let start = 0; start < drawn.length; start += size) {
        const batch = drawn.slice(start, start + size);
        buffer.add({ metric: "m", type: "NUMBER", timestamps: batch.map(([at]) => at), values: batch.map(([, value]) => value) });
        for (const [at, value] of batch) oracle.set(at, value);
      }
      buffer.trim(from);
      const expected = [...oracle].filter(([at]) => at >= from).sort((a, b) => a[0] - b[0]);
      const series = buffer.snapshot()[0];
      expect((series?.timestamps ?? []).map((at, index) => [at, series?.values[index]])).toEqual(expected);
    }),
  );
});

test("ports of a metric are series of their own, in order", () => {
  const buffer = new SeriesBuffer();
  for (const port of [2, null, 10]) buffer.add({ metric: "m", port, type: "NUMBER", timestamps: [1], values: [port] });
  expect(buffer.snapshot().map((series) => series.key)).toEqual(["m", "m:2", "m:10"]);
});

test("a snapshot does not change when points are added", () => {
  const buffer = new SeriesBuffer();
  buffer.add({ metric: "m", type: "NUMBER", timestamps: [1], values: [1] });
  const before = buffer.snapshot();
  buffer.add({ metric: "m", type: "NUMBER", timestamps: [0, 1, 2], values: [0, 9, 2] });
  expect(before[0]?.timestamps).toEqual([1]);
  expect(buffer.snapshot()[0]?.values).toEqual([0, 9, 2]);
});
