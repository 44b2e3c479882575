/** Return the values by key, each replaced by one that is as new or newer: what comes late is not the latest. */
export function withNewer<V extends { timestamp: string }>(
  known: ReadonlyMap<string, V>,
  values: readonly (readonly [string, V])[],
): ReadonlyMap<string, V> {
  const newest = new Map(known);
  for (const [key, value] of values) {
    const before = newest.get(key);
    if (before === undefined || Date.parse(before.timestamp) <= Date.parse(value.timestamp)) newest.set(key, value);
  }
  return newest;
}
