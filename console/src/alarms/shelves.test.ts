import { expect, test } from "vitest";
import { microsOf } from "../time/instant";
import type { Alarm } from "./alarm";
import { type Shelf, shelvesAt, withShelves } from "./shelves";

const alarm = { suppressed: false, state: "OPEN", rule: { id: "r", name: "R" }, entity: { id: "a", kind: "ASSET", name: "A", type: null } } as Alarm;
const pump = { id: "a", kind: "ASSET", name: "A" };
const shelf: Shelf = { id: "s", from: "2026-03-01T00:00:00Z", to: "2026-03-02T00:00:00Z", note: null, actor: "ada", rule: null, entity: null };

test("a shelf lasts from its start until before its end", () => {
  expect(shelvesAt([shelf], microsOf(shelf.from))).toHaveLength(1);
  expect(shelvesAt([shelf], microsOf(shelf.to))).toHaveLength(0);
});

test("a shelf covers its rule, its entity, or both", () => {
  const isCovered = (part: Partial<Shelf>) => withShelves(alarm, [{ ...shelf, ...part }]).suppressed;
  expect(isCovered({})).toBe(true);
  expect(isCovered({ rule: { id: "r", name: "R" }, entity: pump })).toBe(true);
  expect(isCovered({ rule: { id: "other", name: "O" }, entity: pump })).toBe(false);
  expect(isCovered({ entity: { ...pump, id: "b" } })).toBe(false);
});
