import { type Micros, microsOf } from "../../time/instant";

type Interval = { from: string; to: string };

/** The same things by when they apply: at an instant, after it, and before it. */
type Placed<W> = { now: W[]; later: W[]; over: W[] };

/** Return shelves or windows by when they apply: those that apply by their end, those to come by their start, the others the last ended first. */
export function placedAt<W extends Interval>(windows: readonly W[], at: Micros): Placed<W> {
  const ends = (window: W) => microsOf(window.to);
  const begins = (window: W) => microsOf(window.from);
  return {
    now: windows.filter((window) => begins(window) <= at && at < ends(window)).sort((a, b) => ends(a) - ends(b)),
    later: windows.filter((window) => begins(window) > at && ends(window) > begins(window)).sort((a, b) => begins(a) - begins(b)),
    over: windows.filter((window) => ends(window) <= at).sort((a, b) => ends(b) - ends(a)),
  };
}
