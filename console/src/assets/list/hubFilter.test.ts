import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { textOfValues, valuesOf } from "../../ui/listParams";
import { filterOf, isNarrowed, orderOf } from "./hubFilter";

it("reads back the values that an address holds, commas of their own too", () => {
  const value = fc.string({ minLength: 1 }).filter((text) => !text.includes("\\"));
  fc.assert(fc.property(fc.array(value), (values) => {
      expect(valuesOf(textOfValues(values))).toEqual(values);
    }));
});

describe("filterOf", () => {
  it("names the kind alone where nothing narrows the list", () => {
    expect(filterOf("SPACE", {})).toEqual({ kinds: ["SPACE"] });
    expect(isNarrowed("SPACE", {})).toBe(false);
  });
  it("leaves open what its own facet counts", () => {
    const search = { type: "Fan,Pump", status: "active", alarms: "yes" };
    expect(filterOf("ASSET", search, "type")).toEqual({ kinds: ["ASSET"], statuses: ["active"], hasOpenEvents: true });
    expect(filterOf("ASSET", search, "alarms")).toEqual({ kinds: ["ASSET"], types: ["Fan", "Pump"], statuses: ["active"] });
  });
  it("passes over a health that is not one, and health of spaces", () => {
    expect(filterOf("ASSET", { health: "bad" })).toEqual({ kinds: ["ASSET"] });
    expect(filterOf("ASSET", { health: "50" })).toEqual({ kinds: ["ASSET"], healthBelow: 50 });
    expect(filterOf("SPACE", { health: "50" })).toEqual({ kinds: ["SPACE"] });
  });
});

it("orders by health assets alone", () => {
  expect(orderOf("ASSET", { order: "HEALTH_ASC" })).toBe("HEALTH_ASC");
  expect(orderOf("SPACE", { order: "HEALTH_ASC" })).toBe("NAME_ASC");
});
