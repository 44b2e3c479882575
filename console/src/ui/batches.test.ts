import fc from "fast-check";
import { expect, it } from "vitest";
import { inBatches } from "./batches";

it("does each item once, in order, however often batches fail and are done again", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 9 }), fc.array(fc.boolean()), async (count, size, failures) => {
      const items = Array.from({ length: count }, (_, index) => index);
      const outcomes = [...failures];
      const done: number[] = [];
      const work = async (batch: readonly number[]) => {
        expect(batch.length).toBeLessThanOrEqual(size);
        if (outcomes.shift()) throw new Error("refused");
        done.push(...batch);
      };
      let rest = items;
      for (let attempt = 0; attempt <= failures.length && (attempt === 0 || rest.length > 0); attempt++) {
        const result = await inBatches(rest, size, work);
        expect(result.error === null).toBe(result.rest.length === 0);
        expect([...done, ...result.rest]).toEqual(items);
        rest = result.rest;
      }
      expect(done).toEqual(items);
    }),
  );
});

it("stops between two batches, and says how far it came", async () => {
  const progress: number[] = [];
  const work = async (batch: readonly string[]) => batch.join("");
  const result = await inBatches(["a", "b", "c", "d", "e"], 2, work, { onProgress: (done) => progress.push(done), isStopped: () => progress.length === 2 });
  expect(result).toEqual({ answers: ["ab", "cd"], rest: ["e"], error: null });
  expect(progress).toEqual([2, 4]);
});
