import fc from "fast-check";
import { expect, it } from "vitest";
import { attributeFields, formFields, readAttribute, withAttribute } from "./attributeFields";

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
  expect(readAttribute(floors, "3")).toEqual({ value: 3, fault: null });
  expect(readAttribute(floors, " ")).toEqual({ value: undefined, fault: null });
  expect(readAttribute(limits, '{"a":1}')).toEqual({ value: { a: 1 }, fault: null });
  expect(readAttribute(limits, '{"a":').fault).not.toBeNull();
  expect(readAttribute(serial, "")).toEqual({ value: undefined, fault: null });
});

it("takes a number whole or refuses it", () => {
  const floors = { type: "number" } as const;
  for (const text of ["three", "12,5", "1,234", "0x10", "Infinity", "1 2", "1e999", "-"]) expect(readAttribute(floors, text).fault).toContain(text);
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Object.is(value, -0)), (value) => {
      expect(readAttribute(floors, ` ${value} `)).toEqual({ value, fault: null });
    }),
  );
});

it("keeps the field of an attribute while it is emptied, as it was", () => {
  const stored = { power: 12, colour: "red" };
  const draft = withAttribute(stored, "power", undefined);
  expect(formFields(null, { stored, draft, emptied: {} }).map(({ key, type }) => [key, type])).toEqual([
    ["power", "number"],
    ["colour", "string"],
  ]);
  // Of one that was typed as JSON and is not stored yet, too.
  expect(formFields(null, { stored: {}, draft: {}, emptied: { note: { a: 1 } } })).toMatchObject([{ key: "note", type: "json" }]);
});

it("sets and takes away", () => {
  expect(withAttribute({ a: 1, b: 2 }, "a", 3)).toEqual({ a: 3, b: 2 });
  expect(withAttribute({ a: 1, b: 2 }, "a", undefined)).toEqual({ b: 2 });
});

it("refuses an integer that would be rounded, in a number and in JSON, and not where it is a text", () => {
  expect(readAttribute({ type: "number" }, "9007199254740993").fault).toContain("9007199254740993");
  expect(readAttribute({ type: "number" }, "9007199254740991").fault).toBe(null);
  expect(readAttribute({ type: "number" }, "1e300").fault).toBe(null);
  expect(readAttribute({ type: "json" }, '{"a": [1, -9007199254740993]}').fault).toContain("-9007199254740993");
  expect(readAttribute({ type: "json" }, '{"a": "9007199254740993", "9007199254740993": 1.5}').fault).toBe(null);
});
