import { type Micros, microsOf, now, textOf } from "./instant";

/**
 * The moment that the whole console shows.
 *
 * live: now. true: what was true at `at`, as far as is known today. seen: what was believed at `at` about `at`.
 */
export type Moment = { mode: "live" } | { mode: "true" | "seen"; at: Micros };

/** The moment in the address: `at`, and `known=then` where it is what was believed then. */
export type MomentSearch = { at?: string; known?: "then" };

/** Search parameters of the address, as texts; each page reads its own. The moment is carried to every page. */
export type Search = MomentSearch & Record<string, string | undefined>;

export const LIVE: Moment = { mode: "live" };

/** Return the coordinates that the API takes: valid time and system time; null means now. */
export function coordinatesOf(moment: Moment): { asOf: string | null; knownAt: string | null } {
  if (moment.mode === "live") return { asOf: null, knownAt: null };
  const at = textOf(moment.at);
  return { asOf: at, knownAt: moment.mode === "seen" ? at : null };
}

/** Return the moment that an address holds; live where it holds none, or none that can be read. */
export function momentOf(search: MomentSearch): Moment {
  if (search.at === undefined) return LIVE;
  try {
    const at = microsOf(search.at);
    // What will be known at a moment to come is not known yet.
    return { mode: search.known === "then" && at <= now() ? "seen" : "true", at };
  } catch {
    return LIVE;
  }
}

/** Return the part of an address that should name a moment and cannot be read, e.g. "at=yesterday"; null: there is none. */
export function unreadOf(search: { at?: string | undefined; known?: string | undefined }): string | null {
  if (search.at === undefined) return search.known === undefined ? null : `known=${search.known}`;
  if (momentOf({ at: search.at }) === LIVE) return `at=${search.at}`;
  return search.known === undefined || search.known === "then" ? null : `known=${search.known}`;
}

/** Return what an address holds of a moment. */
export function searchOf(moment: Moment): MomentSearch {
  if (moment.mode === "live") return {};
  return moment.mode === "seen" ? { at: textOf(moment.at), known: "then" } : { at: textOf(moment.at) };
}

export function isPast(moment: Moment): moment is { mode: "true" | "seen"; at: Micros } {
  return moment.mode !== "live";
}
