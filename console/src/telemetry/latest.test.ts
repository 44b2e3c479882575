import fc from "fast-check";
import { expect, test } from "vitest";
import { withNewer } from "./latest";

test("whatever the order and the batches, the latest is the one with the greatest timestamp", () => {
  const value = fc.record({ key: fc.constantFrom("a", "b"), at: fc.integer({ min: 0, max: 9 }) });
  fc.assert(
    fc.property(fc.array(fc.array(value)), (batches) => {
      let known: ReadonlyMap<string, { timestamp: string }> = new Map();
      const greatest = new Map<string, number>();
      for (const batch of batches) {
        known = withNewer(known, batch.map(({ key, at }) => [key, { timestamp: `2026-03-01T10:00:0${at}Z` }] as const));
        for (const { key, at } of batch) greatest.set(key, Math.max(at, greatest.get(key) ?? 0));
      }
      const expected = [...greatest].map(([key, at]) => [key, `2026-03-01T10:00:0${at}Z`]).sort();
      expect([...known].map(([key, { timestamp }]) => [key, timestamp]).sort()).toEqual(expected);
    }),
  );
});
