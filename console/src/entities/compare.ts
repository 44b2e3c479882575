/** A field that differs between two states of an object; undefined: it was not there. */
type FieldChange = { path: string[]; before: unknown; after: unknown };

// What every change changes, or what names the object itself: it tells a reader nothing.
const SILENT = new Set(["id", "kind", "createdAt", "updatedAt"]);

/**
 * Return what differs between two states, field by field; objects are followed, lists compared as wholes.
 *
 * A state that is null is one without fields: all fields of the other differ, but those that are empty.
 */
export function differenceOf(before: unknown, after: unknown): FieldChange[] {
  const changes: FieldChange[] = [];
  const walk = (path: string[], old: unknown, next: unknown): void => {
    if (isObject(old) && isObject(next)) {
      for (const key of new Set([...Object.keys(old), ...Object.keys(next)])) {
        if (path.length === 0 && SILENT.has(key)) continue;
        walk([...path, key], old[key], next[key]);
      }
    } else if (!isSame(old, next)) {
      changes.push({ path, before: old, after: next });
    }
  };
  const isNew = !isObject(before);
  walk([], isNew ? {} : before, isObject(after) ? after : {});
  return isNew || !isObject(after) ? changes.filter((change) => !isEmpty(change.before) || !isEmpty(change.after)) : changes;
}

/** Whether two JSON values are the same, whatever the order of an object's members. */
export function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => isSame(item, b[index]));
  }
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && isSame(a[key], b[key]));
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isEmpty(value: unknown): boolean {
  return value === null || value === undefined || (isObject(value) && Object.keys(value).length === 0) || (Array.isArray(value) && value.length === 0);
}

/** Return the name of a field as a person reads it: "validUntil" is "valid until". */
export function labelOf(path: readonly string[]): string {
  return path.map((part) => part.replace(/_/g, " ").replace(/([a-z])([A-Z])/g, (_, a: string, b: string) => `${a} ${b.toLowerCase()}`)).join(" › ");
}
