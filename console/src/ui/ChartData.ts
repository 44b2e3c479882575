import type uPlot from "uplot";
import { numberText } from "./numbers";

/** A series as the API packs it: `timestamps` in milliseconds, ascending. Null or NaN: a gap. */
export type ChartSeries = {
  key: string;
  label: string;
  unit: string | null;
  timestamps: ArrayLike<number>;
  values: ArrayLike<number | null>;
  /** True: it is on (1) or off (0), and holds until the next value; what is between is the share of a bucket that was on. */
  isSwitch?: boolean;
};

/** Points that come too often for React: the chart draws them itself. */
export type ChartSource = {
  /** Have a function called when there are new points, once an animation frame at most. Returns what ends it. */
  onFrame: (draw: () => void) => () => void;
  /** The points of the series with these keys as they are now, in their order. */
  points: (keys: readonly string[]) => readonly Pick<ChartSeries, "timestamps" | "values">[];
  /** The window as it is now. */
  range: () => { fromMs: number; toMs: number };
};

/** Return a value of a series; null where there is none. */
export function valueAt(series: Pick<ChartSeries, "values">, index: number): number | null {
  const value = series.values[index] ?? null;
  return value === null || Number.isNaN(value) ? null : value;
}

/** Return a value of a series as a text, with its unit. */
export function valueText(value: number, { unit, isSwitch }: Pick<ChartSeries, "unit" | "isSwitch">): string {
  if (isSwitch) return value === 0 ? "off" : value === 1 ? "on" : `on ${numberText(Math.round(100 * value))} %`;
  return unit ? `${numberText(value)} ${unit}` : numberText(value);
}

export function lastText(series: ChartSeries): string {
  for (let index = series.values.length - 1; index >= 0; index--) {
    const value = valueAt(series, index);
    if (value !== null) return valueText(value, series);
  }
  return "—";
}

/** Return what a chart shows as a sentence: its name for those who do not see it. */
export function spoken(title: string, series: readonly ChartSeries[]): string {
  const parts = series.map((one) => {
    let [count, low, high] = [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let index = 0; index < one.values.length; index++) {
      const value = valueAt(one, index);
      if (value === null) continue;
      count++;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    if (count === 0) return `${one.label}: no values`;
    if (one.isSwitch) return `${one.label}: ${count} values, last ${lastText(one)}`;
    return `${one.label}: ${count} values from ${numberText(low)} to ${numberText(high)}, last ${lastText(one)}`;
  });
  return `Chart of ${title}. ${parts.join(". ")}. Press t for a table.`;
}

type Points = Pick<ChartSeries, "timestamps" | "values">;
type Column = (number | null | undefined)[];

/** Return the points of a series that have a value, without its empty buckets. */
export function filled(series: Points): Points {
  const places = Array.from(series.values, (_, place) => place).filter((place) => valueAt(series, place) !== null);
  if (places.length === series.values.length) return series;
  return { timestamps: places.map((place) => series.timestamps[place] as number), values: places.map((place) => series.values[place] as number) };
}

// So many times the usual distance of its points is a gap of a series.
const GAP_STEPS = 2.5;
// As many distances tell what is usual.
const STEPS_MOST = 64;

/** Return beyond which distance two points of each series are not joined: `leastMs`, more where its points are rarer. */
export function gapsOf(series: readonly Points[], leastMs: number): number[] {
  return series.map(({ timestamps }) => {
    const stride = Math.max(1, Math.floor((timestamps.length - 1) / STEPS_MOST));
    const steps: number[] = [];
    for (let index = 1; index < timestamps.length; index += stride) steps.push((timestamps[index] as number) - (timestamps[index - 1] as number));
    steps.sort((a, b) => a - b);
    return Math.max(leastMs, GAP_STEPS * (steps[steps.length >> 1] ?? 0));
  });
}

/**
 * Put series with timestamps of their own on one axis: undefined where a series has no point, null where a gap is.
 *
 * gapsMs: by series; see `gapsOf`. into: what was returned before, to be filled again; nothing is allocated for each
 * drawing.
 */
export function aligned(series: readonly Points[], gapsMs?: readonly number[], into?: uPlot.AlignedData): uPlot.AlignedData {
  const first = series[0];
  if (first === undefined) return [[]];
  if (gapsMs === undefined && series.every((one) => sameTimes(one.timestamps, first.timestamps))) {
    // One device's metrics come with one timestamp: there is nothing to join, and nothing is copied.
    return [first.timestamps, ...series.map(plotted)] as uPlot.AlignedData;
  }
  const xs = arrayOf(into?.[0]);
  const columns = series.map((_, place): Column => arrayOf(into?.[place + 1] as Column | undefined));
  const next = series.map(() => 0);
  let length = 0;
  for (;;) {
    let at = Number.POSITIVE_INFINITY;
    for (let place = 0; place < series.length; place++) at = Math.min(at, timeOf(series[place] as Points, next[place] as number, gapsMs?.[place]));
    if (at === Number.POSITIVE_INFINITY) break;
    xs[length] = at;
    for (let place = 0; place < series.length; place++) {
      const one = series[place] as Points;
      const index = next[place] as number;
      const column = columns[place] as Column;
      if (timeOf(one, index, gapsMs?.[place]) !== at) {
        column[length] = undefined;
        continue;
      }
      const isGap = at !== one.timestamps[Math.floor(index)];
      column[length] = isGap ? null : valueAt(one, Math.floor(index));
      next[place] = isGap ? index + 0.5 : Math.floor(index) + 1;
    }
    length++;
  }
  xs.length = length;
  for (const column of columns) column.length = length;
  return [xs, ...columns] as uPlot.AlignedData;
}

/**
 * The time of the point at a place; infinity behind the last.
 *
 * Before a point that follows a gap comes a mark of the gap, just behind the point before; at `index` + ½ it was there.
 */
function timeOf(series: Points, index: number, gapMs: number | undefined): number {
  const place = Math.floor(index);
  const at = series.timestamps[place];
  if (at === undefined) return Number.POSITIVE_INFINITY;
  if (gapMs === undefined || place === 0 || place !== index) return at;
  const before = series.timestamps[place - 1] as number;
  return at - before > gapMs ? before + 1 : at;
}

function arrayOf<T>(known: ArrayLike<T> | undefined): T[] {
  return Array.isArray(known) ? known : [];
}

function plotted(series: Points): ArrayLike<number | null> {
  for (let index = 0; index < series.values.length; index++) {
    if (Number.isNaN(series.values[index])) return Array.from(series.values, (value) => (Number.isNaN(value) ? null : value));
  }
  return series.values;
}

function sameTimes(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let index = a.length - 1; index >= 0; index--) if (a[index] !== b[index]) return false;
  return true;
}

/** Return the places of points in [first, last] that no line reaches: between gaps. null: a gap; undefined: no point here. */
export function isolatedIn(column: ArrayLike<number | null | undefined>, first: number, last: number): number[] {
  const isolated: number[] = [];
  let before: number | null = null;
  let isReached = false;
  for (let place = first; place <= last + 1; place++) {
    const value = place <= last ? column[place] : null;
    if (value === undefined) continue;
    if (value === null) {
      if (before !== null && !isReached) isolated.push(before);
      before = null;
      isReached = false;
    } else {
      isReached = before !== null;
      before = place;
    }
  }
  return isolated;
}
