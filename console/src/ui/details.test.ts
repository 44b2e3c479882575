import fc from "fast-check";
import { expect, it } from "vitest";
import { type Details, withDetails } from "./details";

type Detail = { health?: number; name?: string };
const of = (...entries: [string, Detail][]) => new Map(entries);
const shown = (details: Details<Detail>) => [...details.rows].map(([id, { detail }]) => [id, detail]);
const NOTHING: Details<Detail> = { key: "live", rows: new Map() };

it("lays newer fields over those that are known", () => {
  const before = withDetails(NOTHING, "live", of(["a", { health: 1, name: "A" }]), 1);
  expect(shown(withDetails(before, "live", of(["a", { health: 2 }]), 2))).toEqual([["a", { health: 2, name: "A" }]]);
});

it("knows nothing of one moment at another", () => {
  const before = withDetails(NOTHING, "live", of(["a", { health: 1 }], ["b", { health: 2 }]), 1);
  const after = withDetails(before, "2026-03-01T00:00:00Z", of(["a", { name: "A" }]), 2);
  expect(shown(after)).toEqual([["a", { name: "A" }]]);
});

it("shows of each field what was read last, in whatever order it comes", () => {
  const read = fc.record({ field: fc.constantFrom("health" as const, "other" as const), id: fc.constantFrom("a", "b") });
  fc.assert(
    fc.property(fc.array(read), fc.infiniteStream(fc.nat()), (reads, places) => {
      type Two = { health?: number; other?: number };
      const dated = reads.map((entry, readAt) => ({ ...entry, readAt, place: places.next().value as number }));
      let details: Details<Two> = { key: "live", rows: new Map() };
      for (const { id, field, readAt } of [...dated].sort((a, b) => a.place - b.place)) {
        details = withDetails<Two>(details, "live", new Map([[id, { [field]: readAt }]]), readAt);
      }
      const expected = new Map<string, Two>();
      for (const { id, field, readAt } of dated) expected.set(id, { ...expected.get(id), [field]: readAt });
      expect(new Map([...details.rows].map(([id, { detail }]) => [id, detail]))).toEqual(expected);
    }),
  );
});

it("keeps the rows that were renewed last, and never more than its bound", () => {
  const batch = fc.uniqueArray(fc.integer({ min: 0, max: 30 }).map(String), { maxLength: 6 });
  fc.assert(
    fc.property(fc.array(batch), (batches) => {
      let details = NOTHING;
      batches.forEach((ids, at) => {
        details = withDetails<Detail>(details, "live", new Map(ids.map((id) => [id, { health: 1 }])), at, 8);
      });
      const last = [...new Set(batches.flat().reverse())].slice(0, 8);
      expect(new Set(details.rows.keys())).toEqual(new Set(last));
    }),
  );
});
