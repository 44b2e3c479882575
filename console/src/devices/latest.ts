import { textOf } from "../time/instant";

/** The newest value of a series. */
export type LatestValue = { metric: string; port: number | null; unit: string | null; type: string; value: number | null; text: string | null; timestamp: string };

type Series = {
  metric: string;
  port?: number | null;
  unit?: string | null;
  type: string;
  timestamps: readonly number[];
  values: readonly (number | null)[];
  texts?: readonly (string | null)[] | null;
};

/** Return the last value of each series; those without one are left out. */
export function latestOf(series: readonly Series[]): LatestValue[] {
  return series.flatMap((each) => {
    for (let index = each.timestamps.length - 1; index >= 0; index--) {
      const value = each.values[index] ?? null;
      const text = each.texts?.[index] ?? null;
      if (value === null && text === null) continue;
      const timestamp = textOf((each.timestamps[index] ?? 0) * 1000);
      return [{ metric: each.metric, port: each.port ?? null, unit: each.unit ?? null, type: each.type, value, text, timestamp }];
    }
    return [];
  });
}

/** Return the values with what is newer among others in its place, in the order they have; new series at the end. */
export function newer(before: readonly LatestValue[], others: readonly LatestValue[]): LatestValue[] {
  const keyOf = (value: LatestValue) => `${value.metric} ${value.port ?? ""}`;
  const all = new Map(before.map((value) => [keyOf(value), value]));
  for (const value of others) {
    const known = all.get(keyOf(value));
    if (known === undefined || Date.parse(known.timestamp) <= Date.parse(value.timestamp)) all.set(keyOf(value), value);
  }
  return [...all.values()];
}

/** Return a value as a person reads it. */
export function valueText(value: Pick<LatestValue, "type" | "value" | "text">): string {
  if (value.text !== null) return value.text;
  if (value.value === null) return "";
  if (value.type === "BOOLEAN") return value.value === 0 ? "off" : "on";
  return value.value.toLocaleString("en", { maximumSignificantDigits: 6 });
}
