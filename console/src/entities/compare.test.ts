import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { differenceOf, isSame, labelOf } from "./compare";

describe("differenceOf", () => {
  it("follows objects and leaves out what says nothing", () => {
    expect(
      differenceOf(
        { id: "1", name: "A", attributes: { site: "x", floor: 2 }, updatedAt: "a" },
        { id: "1", name: "B", attributes: { floor: 2, room: "r" }, updatedAt: "b" },
      ),
    ).toEqual([
      { path: ["name"], before: "A", after: "B" },
      { path: ["attributes", "site"], before: "x", after: undefined },
      { path: ["attributes", "room"], before: undefined, after: "r" },
    ]);
  });
  it("lists the fields of a new object, but not the empty ones", () => {
    expect(differenceOf(null, { name: "A", type: null, attributes: {} })).toEqual([{ path: ["name"], before: undefined, after: "A" }]);
  });
  it("is empty for any value and itself, and not for two that differ", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.dictionary(fc.string(), fc.jsonValue()), (a, b) => {
        const copy: unknown = JSON.parse(JSON.stringify(a));
        expect(differenceOf({ attributes: a }, { attributes: copy })).toEqual([]);
        const other: unknown = JSON.parse(JSON.stringify(b));
        expect(differenceOf({ attributes: copy }, { attributes: other }).length > 0).toBe(!isSame(copy, other));
      }),
    );
  });
});

it("labels fields in words", () => {
  expect(labelOf(["validUntil"])).toBe("valid until");
  expect(labelOf(["attributes", "serial_number"])).toBe("attributes › serial number");
});
