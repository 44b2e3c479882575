import fc from "fast-check";
import { expect, it } from "vitest";
import { countOf, EVERYTHING, isSelected, NOTHING, selectedFilter, selectionText, toggled } from "./selection";

it("toggles rows, of nothing and of everything, and counts what is left", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 9 })), fc.boolean(), (toggles, all) => {
      let selection = all ? EVERYTHING : NOTHING;
      for (const id of toggles) selection = toggled(selection, String(id));
      const selected = Array.from({ length: 10 }, (_, id) => String(id)).filter((id) => isSelected(selection, id));
      expect(countOf(selection, 10)).toBe(selected.length);
    }),
  );
});

it("is a filter, with its exceptions", () => {
  const filter = { kinds: ["DEVICE" as const] };
  expect(selectedFilter(toggled(NOTHING, "a"), filter)).toEqual({ ids: ["a"] });
  expect(selectedFilter(EVERYTHING, filter)).toBe(filter);
  const but = toggled(toggled(EVERYTHING, "a"), "b");
  expect(selectedFilter(but, filter)).toEqual({ kinds: ["DEVICE"], not: { ids: ["a", "b"] } });
  expect(selectionText(but, 12345, "devices")).toBe("all 12,345 that match, except 2");
});
