import { expect, it } from "vitest";
import { attributeFields, valueOf, withAttribute } from "./attributeFields";

const schema = {
  type: "object",
  required: ["serial"],
  properties: {
    serial: { type: "string", title: "Serial number", description: "As on the plate" },
    floors: { type: "integer" },
    mode: { enum: ["summer", "winter"] },
    spare: { type: "boolean" },
    limits: { type: "object" },
  },
};

it("takes the fields of the type's schema, then what the entity has besides", () => {
  const fields = attributeFields(schema, { serial: "x", colour: "red", note: { a: 1 } });
  expect(fields.map((field) => [field.key, field.type, field.isDeclared])).toEqual([
    ["serial", "string", true],
    ["floors", "number", true],
    ["mode", "enum", true],
    ["spare", "boolean", true],
    ["limits", "json", true],
    ["colour", "string", false],
    ["note", "json", false],
  ]);
  expect(fields[0]).toMatchObject({ label: "Serial number", isRequired: true, description: "As on the plate" });
  expect(attributeFields({ schema }, {}).length).toBe(5);
});

it("reads plain values of a type as examples", () => {
  expect(attributeFields({ power: 3 }, {})).toMatchObject([{ key: "power", type: "number", isDeclared: true }]);
});

it("reads what is typed", () => {
  const [serial, floors, , , limits] = attributeFields(schema, {});
  if (!serial || !floors || !limits) throw new Error("fields are missing");
  expect(valueOf(floors, "3")).toBe(3);
  expect(valueOf(floors, " ")).toBeUndefined();
  expect(() => valueOf(floors, "three")).toThrow("is not a number");
  expect(valueOf(limits, '{"a":1}')).toEqual({ a: 1 });
  expect(valueOf(serial, "")).toBeUndefined();
});

it("sets and takes away", () => {
  expect(withAttribute({ a: 1, b: 2 }, "a", 3)).toEqual({ a: 3, b: 2 });
  expect(withAttribute({ a: 1, b: 2 }, "a", undefined)).toEqual({ b: 2 });
});
