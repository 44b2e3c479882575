import fc from "fast-check";
import { expect, test } from "vitest";
import { textOfValues, valuesOf } from "./listSearch";
import { isPlantNarrowed, plantFilter, plantOrder } from "./plantFilter";

test("values come back out of the address, with commas of their own", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ minLength: 1 }).filter((value) => !value.includes("\\")), { minLength: 1 }), (values) => {
      expect(valuesOf(textOfValues(values))).toEqual(values);
    }),
  );
  expect(textOfValues([])).toBeUndefined();
});

test("an address becomes a filter, of which a facet leaves its own dimension open", () => {
  const search = { q: " pump ", type: "Pump,AHU", health: "60", alarms: "open", under: "s1" };
  const whole = { kinds: ["ASSET"], search: "pump", types: ["Pump", "AHU"], underId: "s1", healthBelow: 60, hasOpenEvents: true };
  expect(plantFilter("ASSET", search)).toEqual(whole);
  expect(plantFilter("ASSET", search, "type").types).toBeUndefined();
  expect(plantFilter("SPACE", search).healthBelow).toBeUndefined();
});

test("what cannot be read narrows nothing", () => {
  expect(isPlantNarrowed("ASSET", { health: "low", alarms: "x", q: "  " })).toBe(false);
  expect(plantOrder({ order: "LATEST" })).toBe("NAME_ASC");
});
