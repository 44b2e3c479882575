import fc from "fast-check";
import { expect, it } from "vitest";
import { type Details, withDetails } from "./details";

type Detail = { health?: number; name?: string };
const of = (...entries: [string, Detail][]) => new Map(entries);

it("lays newer fields over those that are known", () => {
  const before: Details<Detail> = { key: "live", rows: of(["a", { health: 1, name: "A" }]) };
  expect(withDetails(before, "live", of(["a", { health: 2 }])).rows.get("a")).toEqual({ health: 2, name: "A" });
});

it("knows nothing of one moment at another", () => {
  const before: Details<Detail> = { key: "live", rows: of(["a", { health: 1 }], ["b", { health: 2 }]) };
  const after = withDetails(before, "2026-03-01T00:00:00Z", of(["a", { name: "A" }]));
  expect([...after.rows]).toEqual([["a", { name: "A" }]]);
});

it("keeps the rows that were renewed last, and never more than its bound", () => {
  const batch = fc.uniqueArray(fc.integer({ min: 0, max: 30 }).map(String), { maxLength: 6 });
  fc.assert(
    fc.property(fc.array(batch), (batches) => {
      let details: Details<Detail> = { key: "live", rows: new Map() };
      for (const ids of batches) details = withDetails<Detail>(details, "live", new Map(ids.map((id) => [id, { health: 1 }])), 8);
      const last = [...new Set(batches.flat().reverse())].slice(0, 8);
      expect(new Set(details.rows.keys())).toEqual(new Set(last));
    }),
  );
});
