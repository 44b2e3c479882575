import { expect, test } from "vitest";
import { scopeHolds } from "./scope";

const boiler = { id: "b", kind: "ASSET", type: "Boiler", profileId: "p" };

test("a scope holds by id, type, profile, or for all; what is below an entity is not known here", () => {
  expect(scopeHolds({}, boiler)).toBe(true);
  expect(scopeHolds({ entityId: "b", kind: null }, boiler)).toBe(true);
  expect(scopeHolds({ entityId: "c" }, boiler)).toBe(false);
  expect(scopeHolds({ kind: "ASSET", type: "Boiler" }, boiler)).toBe(true);
  expect(scopeHolds({ kind: "ASSET", type: "Pump" }, boiler)).toBe(false);
  expect(scopeHolds({ kind: "DEVICE", type: "Boiler" }, boiler)).toBe(false);
  expect(scopeHolds({ profileId: "p" }, boiler)).toBe(true);
  expect(scopeHolds({ profileId: "q" }, boiler)).toBe(false);
  expect(scopeHolds({ underId: "s" }, boiler)).toBeNull();
});
