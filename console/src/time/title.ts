import type { Moment } from "./moment";

/** Return the title of a tab: the name of the page, and the moment where it is not the present. when: the moment in words. */
export function titleOf(name: string, mode: Moment["mode"], when: string): string {
  if (mode === "live") return `${name} · Argus`;
  return `${name} · ${mode === "seen" ? "as seen" : "as it was"} at ${when} · Argus`;
}
