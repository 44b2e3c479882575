type Json = Record<string, unknown>;

/**
 * The JSON Merge Patch (RFC 7396) that makes `after` of `before`, so that what others changed meanwhile stays.
 *
 * Null where there is none: a patch cannot set null, which takes a member away.
 */
export function mergePatch(before: Json, after: Json): Json | null {
  const patch: Json = {};
  for (const key of Object.keys(before)) if (!(key in after)) patch[key] = null;
  for (const [key, value] of Object.entries(after)) {
    const old = before[key];
    if (JSON.stringify(old) === JSON.stringify(value)) continue;
    if (isObject(old) && isObject(value)) {
      const inner = mergePatch(old, value);
      if (inner === null) return null;
      patch[key] = inner;
    } else {
      if (hasNull(value)) return null;
      patch[key] = value;
    }
  }
  return patch;
}

function hasNull(value: unknown): boolean {
  return value === null || (isObject(value) && Object.values(value).some(hasNull));
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
