import fc from "fast-check";
import { expect, test } from "vitest";
import { SeriesBuffer } from "./seriesBuffer";

const points = fc.array(fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: -9, max: 9 })), { maxLength: 80 });

test("points in any order and batches end up as a plain map has them, and no view changes", () => {
  fc.assert(
    fc.property(points, fc.integer({ min: 1, max: 7 }), fc.integer({ min: 0, max: 60 }), (drawn, size, from) => {
      const buffer = new SeriesBuffer();
      const oracle = new Map<number, number>();
      const views: { view: Float64Array[]; copy: number[][] }[] = [];
      const keep = (): void => {
        const view = buffer.views().flatMap((series) => [series.timestamps, series.values]);
        views.push({ view, copy: view.map((array) => [...array]) });
      };
      for (let start = 0; start < drawn.length; start += size) {
        const batch = drawn.slice(start, start + size);
        buffer.add({ metric: "m", type: "NUMBER", timestamps: batch.map(([at]) => at), values: batch.map(([, value]) => value) });
        for (const [at, value] of batch) oracle.set(at, value);
        if (start % 3 === 0) keep();
      }
      buffer.trim(from);
      keep();
      const expected = [...oracle].filter(([at]) => at >= from).sort((a, b) => a[0] - b[0]);
      const series = buffer.views()[0];
      expect([...(series?.timestamps ?? [])].map((at, index) => [at, series?.values[index]])).toEqual(expected);
      for (const { view, copy } of views) expect(view.map((array) => [...array])).toEqual(copy);
    }),
  );
});

test("a window that slides along needs no more room the longer it does", () => {
  const buffer = new SeriesBuffer();
  for (let at = 0; at < 20_000; at++) {
    buffer.add({ metric: "m", type: "NUMBER", timestamps: [at], values: [at] });
    buffer.trim(at - 499);
  }
  const series = buffer.views()[0];
  expect([series?.timestamps.length, series?.timestamps[0]]).toEqual([500, 19_500]);
  expect(series?.timestamps.buffer.byteLength).toBeLessThanOrEqual(8 * 1024);
});

test("ports of a metric are series of their own, in order", () => {
  const buffer = new SeriesBuffer();
  for (const port of [2, null, 10]) buffer.add({ metric: "m", port, type: "NUMBER", timestamps: [1], values: [port] });
  expect(buffer.views().map((series) => series.key)).toEqual(["m", "m:2", "m:10"]);
});

test("texts stay with their instants; a value that is none is not a number", () => {
  const buffer = new SeriesBuffer();
  buffer.add({ metric: "m", type: "TEXT", timestamps: [2, 4], values: [null, null], texts: ["b", "d"] });
  buffer.add({ metric: "m", type: "TEXT", timestamps: [3, 4, 1], values: [null, null, null], texts: ["c", "D", "a"] });
  buffer.trim(2);
  expect(buffer.views()[0]?.texts).toEqual(["b", "c", "D"]);
  expect([...(buffer.views()[0]?.values ?? [])]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
});
