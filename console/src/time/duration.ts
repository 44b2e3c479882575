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

const SECONDS = [31_557_600, 2_629_800, 604_800, 86_400, 3_600, 60, 1] as const;

/** Return the seconds of "PT90M", years and months by their mean; null of a text that is not a duration. */
export function secondsOf(text: string): number | null {
  const parts = partsOf(text);
  return parts === null ? null : parts.reduce((sum, count, place) => sum + count * (SECONDS[place] ?? 0), 0);
}

/** Return e.g. "3 min" of 190 seconds: a length of time in words, to its greatest unit. */
export function aboutText(seconds: number): string {
  for (const [unit, length] of [["d", 86_400], ["h", 3_600], ["min", 60]] as const) {
    if (seconds >= length) return `${Math.floor(seconds / length)} ${unit}`;
  }
  return `${Math.floor(seconds)} s`;
}
