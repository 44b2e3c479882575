import fc from "fast-check";
import { expect, it } from "vitest";
import { filterOf, isNarrowed, orderOf, textOfValues, valuesOf } from "./deviceFilter";

it("keeps values over the address, commas too", () => {
  const value = fc.string({ minLength: 1 }).filter((text) => !text.includes("\\"));
  fc.assert(fc.property(fc.array(value), (values) => { expect(valuesOf(textOfValues(values))).toEqual(values); }));
});

it("reads the filter of an address", () => {
  const search = { q: " boiler ", type: "Probe,Meter", status: "active", connectivity: "ONLINE", under: "s", linked: "no" };
  const filter = { kinds: ["DEVICE"], search: "boiler", types: ["Probe", "Meter"], statuses: ["active"], connectivity: "ONLINE", underId: "s", isLinked: false };
  expect(filterOf(search)).toEqual(filter);
  const { types: _, ...open } = filter;
  expect(filterOf(search, "type")).toEqual(open);
  expect(filterOf({ connectivity: "nonsense" })).toEqual({ kinds: ["DEVICE"] });
  expect([isNarrowed({}), isNarrowed({ linked: "yes" })]).toEqual([false, true]);
});

it("reads the order, by name where it is none", () => {
  expect([orderOf({}), orderOf({ order: "nonsense" }), orderOf({ order: "TYPE_DESC" })]).toEqual(["NAME_ASC", "NAME_ASC", "TYPE_DESC"]);
});
