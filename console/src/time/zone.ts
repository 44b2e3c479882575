import { useSyncExternalStore } from "react";
import type { Micros } from "./instant";

export { age } from "./age";

/** Which time zone instants are shown in: this computer's, UTC, or an IANA name. */
type ZoneChoice = "mine" | "UTC" | (string & {});

const KEY = "argus.zone";
const listeners = new Set<() => void>();
let choice: ZoneChoice = localStorage.getItem(KEY) ?? "mine";
const formats = new Map<string, Intl.DateTimeFormat>();

export function setZone(next: ZoneChoice): void {
  choice = next;
  localStorage.setItem(KEY, next);
  for (const listener of listeners) listener();
}

export function zoneChoice(): ZoneChoice {
  return choice;
}

let mine: { name: string; at: number } = { name: "", at: Number.NEGATIVE_INFINITY };
const MINE_MS = 60_000;

/** Return the IANA name of the zone that instants are shown in. */
function zoneName(): string {
  if (choice !== "mine") return choice;
  // Whoever shows an instant asks at every drawing, and this computer's answer takes its time.
  const at = performance.now();
  if (at - mine.at > MINE_MS) mine = { name: Intl.DateTimeFormat().resolvedOptions().timeZone, at };
  return mine.name;
}

/** The zone's name, for components that show instants: they draw again when it changes. */
export function useZone(): string {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    zoneName,
  );
}

/** Return the zones this browser knows, UTC first. */
export function zones(): string[] {
  return ["UTC", ...Intl.supportedValuesOf("timeZone").filter((name) => name !== "UTC")];
}

function format(zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${zone} ${JSON.stringify(options)}`;
  let known = formats.get(key);
  if (known === undefined) {
    // sv-SE writes dates as ISO 8601 does: they sort, and day and month are not confused.
    known = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, ...options });
    formats.set(key, known);
  }
  return known;
}

/** Return e.g. "2026-03-29 02:30:05". */
export function dateTime(instant: Micros, zone: string): string {
  return format(zone, { dateStyle: "short", timeStyle: "medium" }).format(instant / 1000);
}

/** Return e.g. "2026-03-29 02:30". */
export function dateMinute(instant: Micros, zone: string): string {
  return format(zone, { dateStyle: "short", timeStyle: "short" }).format(instant / 1000);
}

/** Return e.g. "02:30:05". */
export function clock(instant: Micros, zone: string): string {
  return format(zone, { timeStyle: "medium" }).format(instant / 1000);
}

/** Return the offset of a zone at an instant, e.g. "+02:00", so that the two hours of an autumn night differ. */
export function offset(instant: Micros, zone: string): string {
  const parts = format(zone, { timeZoneName: "longOffset", hour: "numeric" }).formatToParts(instant / 1000);
  const name = parts.find((part) => part.type === "timeZoneName")?.value ?? "GMT";
  return name === "GMT" ? "+00:00" : name.replace("GMT", "").replace("\u2212", "-");
}

/**
 * Return the instant that a wall-clock text "YYYY-MM-DDTHH:MM[:SS]" names in a zone; of two, the earlier.
 *
 * A time that a change of the clock leaves out is moved by the length of the gap, as clocks are.
 */
export function fromWallClock(text: string, zone: string): Micros {
  const naive = Date.parse(`${text}Z`);
  if (Number.isNaN(naive)) throw new RangeError(`"${text}" is not a date and time.`);
  const candidates = [naive - offsetMs((naive - 86_400_000) * 1000, zone), naive - offsetMs((naive + 86_400_000) * 1000, zone)];
  const exact = candidates.filter((ms) => ms + offsetMs(ms * 1000, zone) === naive);
  return (exact.length > 0 ? Math.min(...exact) : (candidates[0] as number)) * 1000;
}

/** Return the wall-clock text "YYYY-MM-DDTHH:MM:SS" of an instant in a zone, as `datetime-local` fields take it. */
export function toWallClock(instant: Micros, zone: string): string {
  return dateTime(instant, zone).replace(" ", "T");
}

function offsetMs(instant: Micros, zone: string): number {
  const text = offset(instant, zone);
  const [hours = 0, minutes = 0, seconds = 0] = text.slice(1).split(":").map(Number);
  return (text.startsWith("-") ? -1 : 1) * (hours * 3600 + minutes * 60 + seconds) * 1000;
}
