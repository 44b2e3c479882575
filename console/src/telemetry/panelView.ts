import { microsOf, textOf } from "../time/instant";

/** A range of a chart, in milliseconds since the Unix epoch. */
export type Range = { fromMs: number; toMs: number };

/** What of the series of an entity is shown. zoom: null: the window before the moment. hidden: metrics. */
export type PanelView = { windowMs: number; zoom: Range | null; hidden: ReadonlySet<string> };

/** The parameters of the address that say it, each left out where it is the default. */
type PanelSearch = { window?: string | undefined; zoom?: string | undefined; without?: string | undefined };

export const WINDOWS: readonly [name: string, label: string, ms: number][] = [
  ["15m", "15 min", 900e3],
  ["1h", "1 h", 3600e3],
  ["6h", "6 h", 21_600e3],
  ["24h", "24 h", 86_400e3],
  ["7d", "7 d", 604_800e3],
  ["30d", "30 d", 2_592_000e3],
  ["1y", "1 y", 31_536_000e3],
];
const USUAL = "1h";
const USUAL_MS = 3600e3;

/** Return what an address shows; the default for what of it cannot be read. */
export function panelViewOf({ window, zoom, without }: PanelSearch): PanelView {
  return {
    windowMs: WINDOWS.find(([name]) => name === window)?.[2] ?? USUAL_MS,
    zoom: rangeOf(zoom),
    hidden: new Set((without ?? "").split(",").filter((metric) => metric !== "")),
  };
}

/** Return the part of an address for a part of what is shown. */
export function panelSearchOf(view: Partial<PanelView>): PanelSearch {
  const search: PanelSearch = {};
  if (view.windowMs !== undefined) {
    const name = WINDOWS.find(([, , ms]) => ms === view.windowMs)?.[0];
    search.window = name === USUAL ? undefined : name;
  }
  // To the millisecond, which is what a chart draws.
  if (view.zoom !== undefined) search.zoom = view.zoom === null ? undefined : [view.zoom.fromMs, view.zoom.toMs].map((ms) => textOf(Math.round(ms) * 1000)).join("/");
  if (view.hidden !== undefined) search.without = view.hidden.size === 0 ? undefined : [...view.hidden].sort().join(",");
  return search;
}

function rangeOf(text: string | undefined): Range | null {
  const [from, to, ...rest] = (text ?? "").split("/");
  if (from === undefined || to === undefined || rest.length > 0) return null;
  try {
    const range = { fromMs: microsOf(from) / 1000, toMs: microsOf(to) / 1000 };
    return range.fromMs < range.toMs ? range : null;
  } catch {
    return null;
  }
}
