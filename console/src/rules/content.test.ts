import { expect, test } from "vitest";
import { namedIds, scopedId, scopeText } from "./content";

const names = new Map([["a", "Plant room"]]);

test("each sort of scope is said in words", () => {
  const texts = [{}, { kind: "ASSET", type: "Boiler" }, { underId: "a" }, { entityId: "a" }, { groupId: "a" }, { profileId: "a" }, { underId: "unknown" }].map((scope) => scopeText(scope, names));
  expect(texts).toEqual([
    "everything",
    "assets of type Boiler",
    "everything under Plant room",
    "Plant room",
    "members of Plant room",
    "assets of profile Plant room",
    "everything under …",
  ]);
});

test("what a sentence names is known by its ids", () => {
  expect(scopedId({ kind: "ASSET", type: "Boiler" })).toBe(null);
  expect(namedIds({ scope: { groupId: "a", entityId: null }, action: { createActivityFromTemplateId: "t" } })).toEqual(["a", "t"]);
  expect(namedIds({ scope: {}, action: {} })).toEqual([]);
});
