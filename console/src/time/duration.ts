/** Lengths of time as the API writes them: ISO 8601, e.g. "PT1H30M". Months and years are of the calendar. */

const DURATION = /^P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:[.,]\d+)?)S)?)?$/;
const UNITS = ["y", "mo", "wk", "d", "h", "min", "s"] as const;

function partsOf(text: string): number[] | null {
  const match = DURATION.exec(text);
  if (match === null || text === "P" || text.endsWith("T")) return null;
  return match.slice(1).map((part) => (part === undefined ? 0 : Number(part.replace(",", "."))));
}

/** Return e.g. "1 h 30 min" of "PT90M"; a text that is not a duration as it is. */
export function durationText(text: string): string {
  const parts = partsOf(text);
  if (parts === null) return text;
  // 60 seconds are a minute and 60 minutes an hour; days stay as they were written, since not all have 24 hours.
  for (const place of [6, 5]) {
    const whole = Math.floor((parts[place] ?? 0) / 60);
    parts[place] = (parts[place] ?? 0) - whole * 60;
    parts[place - 1] = (parts[place - 1] ?? 0) + whole;
  }
  const words = parts.flatMap((count, index) => (count === 0 ? [] : [`${count} ${UNITS[index] ?? ""}`]));
  return words.length === 0 ? "0 s" : words.join(" ");
}
