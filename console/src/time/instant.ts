/** Instants as whole microseconds since the Unix epoch: what the API resolves to, exact in a double until 2255. */
export type Micros = number;

const INSTANT = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})$/;

/** Return the instant that an RFC 3339 text names. Throws RangeError for any other text. */
export function microsOf(text: string): Micros {
  const parts = INSTANT.exec(text);
  if (parts === null) throw new RangeError(`"${text}" is not an instant of RFC 3339.`);
  const seconds = Date.parse(`${parts[1]}${parts[3]}`);
  if (Number.isNaN(seconds)) throw new RangeError(`"${text}" is not an instant of RFC 3339.`);
  return seconds * 1000 + Number((parts[2] ?? "").slice(0, 6).padEnd(6, "0"));
}

/** Return the instant as RFC 3339 in UTC, with no more digits than it needs. */
export function textOf(instant: Micros): string {
  const ms = Math.floor(instant / 1000);
  const micros = instant - ms * 1000;
  const text = new Date(ms).toISOString();
  if (micros !== 0) return `${text.slice(0, -1)}${String(micros).padStart(3, "0")}Z`;
  return text.endsWith(".000Z") ? `${text.slice(0, -5)}Z` : text;
}

/** Return the instant of this computer's clock. */
export function now(): Micros {
  return Date.now() * 1000;
}
