import { secondsOf } from "../../time/duration";

type Unit = "S" | "M" | "H" | "D";
/** A length of time as it is typed. count: empty is none at all. */
export type DurationDraft = { count: string; unit: Unit };

export const NO_DURATION: DurationDraft = { count: "", unit: "M" };
export const UNITS: readonly [Unit, string, number][] = [
  ["S", "seconds", 1],
  ["M", "minutes", 60],
  ["H", "hours", 3_600],
  ["D", "days", 86_400],
];

/** Return a duration of the API as a number of the greatest unit in which it is whole. */
export function durationDraft(text: string): DurationDraft {
  const seconds = secondsOf(text) ?? 0;
  if (seconds === 0) return NO_DURATION;
  const [unit, , length] = UNITS.findLast(([, , length]) => seconds % length === 0) ?? (["S", "", 1] as const);
  return { count: String(seconds / length), unit };
}

/** Return the duration as the API takes it; null: it is no number. Days are of 24 hours. */
export function isoOf({ count, unit }: DurationDraft): string | null {
  const text = count.trim().replace(",", ".");
  if (text === "") return "PT0S";
  const number = Number(text);
  if (!Number.isFinite(number) || number < 0) return null;
  const length = UNITS.find(([name]) => name === unit)?.[2] ?? 1;
  // Seconds with at most six digits behind the point: the API counts microseconds.
  return `PT${Number((number * length).toFixed(6))}S`;
}
