/** When this browser was last at the console before this session: what came since is new to its user. */

const KEY = "argus.visit";
const BEFORE = "argus.visit.before";

function remember(): void {
  localStorage.setItem(KEY, new Date().toISOString());
}

/** Return the end of the visit before this one, as RFC 3339; null: there was none. The same until the tab is closed. */
export function lastVisit(): string | null {
  const known = sessionStorage.getItem(BEFORE);
  if (known !== null) return known === "" ? null : known;
  const before = localStorage.getItem(KEY);
  sessionStorage.setItem(BEFORE, before ?? "");
  remember();
  document.addEventListener("visibilitychange", remember);
  return before;
}
