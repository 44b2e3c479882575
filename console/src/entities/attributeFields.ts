import { isObject } from "./compare";

/** How an attribute is filled in: a field of a type, or JSON where it is an object or a list. */
export type AttributeField = {
  key: string;
  label: string;
  type: "string" | "number" | "boolean" | "enum" | "json";
  options: string[];
  description: string | null;
  isRequired: boolean;
  /** Whether the entity's type declares it; else the entity has it of itself. */
  isDeclared: boolean;
};

const NUMBERS = new Set(["number", "integer"]);

/**
 * Return the fields of a form in which attributes are changed: of what is stored and of what is typed.
 *
 * emptied: attributes that were emptied while they were typed, with their last value. Their field stays, as it is not
 * known yet whether they are taken away or get another value.
 */
export function formFields(
  typeAttributes: unknown,
  attributes: { stored: Record<string, unknown>; draft: Record<string, unknown>; emptied: Record<string, unknown> },
): AttributeField[] {
  return attributeFields(typeAttributes, { ...attributes.stored, ...attributes.emptied, ...attributes.draft });
}

/**
 * Return the fields of an entity's attributes: those its type declares, then those it has besides.
 *
 * A type declares them as a JSON Schema, either its attributes themselves or their member `schema`; attributes of a
 * type that are plain values are examples, and say of what type the field is.
 */
export function attributeFields(typeAttributes: unknown, attributes: Record<string, unknown>): AttributeField[] {
  const schema = schemaOf(typeAttributes);
  const required = new Set(Array.isArray(schema?.required) ? schema.required : []);
  const declared = schema
    ? Object.entries(schema.properties).map(([key, property]) => declaredField(key, property, required.has(key)))
    : isObject(typeAttributes)
      ? Object.entries(typeAttributes).map(([key, example]) => ({ ...plainField(key, example), isDeclared: true }))
      : [];
  const known = new Set(declared.map((field) => field.key));
  const others = Object.entries(attributes)
    .filter(([key]) => !known.has(key))
    .map(([key, value]) => plainField(key, value));
  return [...declared, ...others];
}

type Schema = { properties: Record<string, unknown>; required?: unknown };

function schemaOf(attributes: unknown): Schema | null {
  if (!isObject(attributes)) return null;
  for (const candidate of [attributes.schema, attributes]) {
    if (isObject(candidate) && isObject(candidate.properties)) return candidate as Schema;
  }
  return null;
}

function declaredField(key: string, property: unknown, isRequired: boolean): AttributeField {
  const schema = isObject(property) ? property : {};
  const options = Array.isArray(schema.enum) ? schema.enum.filter((option) => typeof option === "string") : [];
  const type =
    options.length > 0
      ? "enum"
      : NUMBERS.has(String(schema.type))
        ? "number"
        : schema.type === "boolean" || schema.type === "string"
          ? schema.type
          : "json";
  return {
    key,
    label: typeof schema.title === "string" ? schema.title : key.replace(/_/g, " "),
    type,
    options,
    description: typeof schema.description === "string" ? schema.description : null,
    isRequired,
    isDeclared: true,
  };
}

function plainField(key: string, value: unknown): AttributeField {
  const kind = typeof value;
  const type = kind === "number" || kind === "boolean" || kind === "string" ? kind : "json";
  return { key, label: key.replace(/_/g, " "), type, options: [], description: null, isRequired: false, isDeclared: false };
}

/** What a text in a field means: its value, undefined where it takes the attribute away; or why it is no such value. */
type ReadAttribute = { value: unknown; fault: null } | { fault: string };

const NUMERAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/**
 * Read a text in a field as a value of its type.
 *
 * A number is taken whole or not at all: "12,5" is refused, as a comma means thousands to some and a fraction to others.
 */
export function readAttribute(field: Pick<AttributeField, "type">, text: string): ReadAttribute {
  const trimmed = text.trim();
  if (field.type !== "string" && trimmed === "") return { value: undefined, fault: null };
  if (field.type === "number") {
    const value = Number(trimmed);
    const rounded = roundedInteger(trimmed);
    if (rounded !== null) return { fault: roundedFault(rounded) };
    if (NUMERAL.test(trimmed) && Number.isFinite(value)) return { value, fault: null };
    const hint = trimmed.includes(",") ? " Write a fraction with a point, thousands without a comma." : "";
    return { fault: `"${trimmed}" is not a number.${hint}` };
  }
  if (field.type === "json") {
    try {
      const value: unknown = JSON.parse(text);
      const rounded = roundedInteger(text);
      return rounded === null ? { value, fault: null } : { fault: roundedFault(rounded) };
    } catch (error) {
      return { fault: error instanceof Error ? error.message : String(error) };
    }
  }
  return { value: text === "" ? undefined : text, fault: null };
}

const TOKEN = /"(?:\\.|[^"\\])*"|[+-]?\d[\d.eE+-]*/g;

/** Return the first integer in a JSON text that would not be stored as it is written; null: there is none. */
export function roundedInteger(json: string): string | null {
  return json.match(TOKEN)?.find((token) => /^[+-]?\d+$/.test(token) && isRounded(token)) ?? null;
}

function isRounded(integer: string): boolean {
  const value = Number(integer);
  const digits = integer.replace("+", "");
  // What a number is written as is read as the same number, though its last digits may be zeros in place of others.
  return !Number.isFinite(value) || (BigInt(value) !== BigInt(digits) && String(value) !== digits);
}

export function roundedFault(integer: string): string {
  return `${integer} has more digits than a number keeps. Write it as a text, in quotation marks.`;
}

/** Return the attributes with one of them set, or taken away where the value is undefined. */
export function withAttribute(attributes: Record<string, unknown>, key: string, value: unknown): Record<string, unknown> {
  const { [key]: _, ...others } = attributes;
  return value === undefined ? others : key in attributes ? { ...attributes, [key]: value } : { ...others, [key]: value };
}
