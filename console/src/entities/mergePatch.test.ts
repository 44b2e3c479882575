import { describe, expect, it } from "vitest";
import { mergePatch } from "./mergePatch";

type Json = Record<string, unknown>;

/** RFC 7396, as the API applies it. */
function merged(target: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const result: Json = typeof target === "object" && target !== null && !Array.isArray(target) ? { ...(target as Json) } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}

const CASES: [Json, Json][] = [
  [{ a: 1, b: 2 }, { a: 1 }],
  [{ a: { b: 1, c: 2 }, d: [1] }, { a: { b: 3 }, d: [1, 2], e: "x" }],
  [{ a: 1 }, { a: { b: 1 } }],
  [{ a: { b: 1 } }, { a: [1] }],
  [{ a: null }, { a: null, b: 1 }],
  [{ a: null, b: 1 }, { b: 1 }],
  [{}, {}],
];

describe("mergePatch", () => {
  it.each(CASES)("makes what is wanted of what is there: %j to %j", (before, after) => {
    const patch = mergePatch(before, after);
    expect(patch).not.toBeNull();
    expect(merged(before, patch)).toEqual(after);
  });

  it("names only what differs", () => {
    expect(mergePatch({ a: 1, b: { c: 1, d: 2 } }, { a: 1, b: { c: 1, d: 3 } })).toEqual({ b: { d: 3 } });
  });

  it("says that null cannot be set", () => {
    expect(mergePatch({ a: 1 }, { a: null })).toBeNull();
    expect(mergePatch({}, { a: { b: null } })).toBeNull();
    expect(mergePatch({ a: { b: 1 } }, { a: { b: null } })).toBeNull();
  });
});
