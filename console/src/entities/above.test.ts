import { expect, test } from "vitest";
import { parentsOf, pathAbove, type PlaceEdge } from "./above";

const named = (id: string, kind: string) => ({ id, kind, name: id });
const site = named("site", "SPACE");
const room = named("room", "SPACE");
const unit = named("unit", "ASSET");
const fan = named("fan", "ASSET");
const edges: PlaceEdge[] = [
  { relationship: "CONTAINS", source: site, target: room },
  { relationship: "LOCATED_IN", source: unit, target: room },
  { relationship: "HAS_PART", source: unit, target: fan },
  { relationship: "LOCATED_IN", source: fan, target: site },
];

test("the way up goes by the whole before the place, the outermost first", () => {
  expect(pathAbove(edges, "fan").map(({ id }) => id)).toEqual(["site", "room", "unit"]);
  expect(pathAbove(edges, "site")).toEqual([]);
});

test("all that something is directly in is listed", () => {
  expect(parentsOf(edges, "fan").map(({ above }) => above.id)).toEqual(["unit", "site"]);
});

test("a circle ends the way up", () => {
  const circle: PlaceEdge[] = [
    { relationship: "LOCATED_IN", source: unit, target: fan },
    { relationship: "LOCATED_IN", source: fan, target: unit },
  ];
  expect(pathAbove(circle, "fan").map(({ id }) => id)).toEqual(["unit"]);
});
