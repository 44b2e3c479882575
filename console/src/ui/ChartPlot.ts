import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { dateTime } from "../time/zone";
import { type ChartSeries, isolatedIn } from "./ChartData";

/** A line across the chart, of a rule. */
export type Threshold = { value: number; label: string };
/** A shaded range of time, e.g. the time in which an alarm was open. */
export type Band = { fromMs: number; toMs: number; label: string };

const COLOURS = 8;
// With more points than this in view they are not marked one by one.
const MARKED_MOST = 80;
// Wide enough for the line at off and the one at on to be seen whole.
const SWITCH_RANGE: [number, number] = [-0.08, 1.08];
const SWITCH_AXIS = { splits: () => [0, 1], values: () => ["off", "on"] };
const STEPPED = uPlot.paths.stepped?.({ align: 1 });

export function colour(index: number): string {
  return `var(--series-${(index % COLOURS) + 1})`;
}

export const dark = matchMedia("(prefers-color-scheme: dark)");
const colours = new Map<string, string>();
let coloursOf = "";

/** Return a colour as a canvas takes it; it takes no light-dark(), so that the browser resolves it, once a theme. */
function resolved(element: Element, name: string): string {
  const theme = `${document.documentElement.dataset.theme ?? ""} ${dark.matches}`;
  if (theme !== coloursOf) {
    colours.clear();
    coloursOf = theme;
  }
  const known = colours.get(name);
  if (known !== undefined) return known;
  const probe = document.createElement("span");
  probe.style.color = name;
  element.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  colours.set(name, value);
  return value;
}

type Making = {
  element: HTMLElement;
  labels: readonly ChartSeries[];
  height: number;
  zone: string;
  sync: string | null;
  onZoom: { current: ((fromMs: number, toMs: number) => void) | undefined };
  overlays: { current: { thresholds?: readonly Threshold[] | undefined; bands?: readonly Band[] | undefined } };
};

/** Return the options of a plot over time, in milliseconds. How often it was drawn is counted on its element. */
export function plotOptions({ element, labels, height, zone, sync, onZoom, overlays }: Making): uPlot.Options {
  const axis = {
    stroke: () => resolved(element, "var(--muted)"),
    grid: { stroke: () => resolved(element, "var(--line)"), width: 1 },
    ticks: { stroke: () => resolved(element, "var(--line)"), width: 1 },
    font: "12px system-ui",
  };
  // What is on or off goes from the one to the other, whatever of both was there.
  const isSwitch = labels.length > 0 && labels.every((one) => one.isSwitch);
  return {
    width: Math.max(element.clientWidth, 200),
    height,
    ms: 1,
    tzDate: zoned(zone),
    legend: { show: false },
    cursor: { ...(sync === null ? {} : { sync: { key: sync } }), drag: { x: true, y: false, setScale: false } },
    scales: { x: { time: true, auto: false }, y: { range: (_, low, high) => (isSwitch ? SWITCH_RANGE : rangeOf(low, high, overlays.current.thresholds ?? [])) } },
    axes: [{ ...axis, values: (_plot, splits) => tickTexts(splits, zone) }, { ...axis, size: 58, ...(isSwitch ? SWITCH_AXIS : {}) }],
    series: [
      {},
      ...labels.map((one, index) => ({
        label: one.label,
        stroke: () => resolved(element, colour(index)),
        width: 1.5,
        ...(one.isSwitch && STEPPED ? { paths: STEPPED } : {}),
        points: {
          show: (_: uPlot, __: number, first: number, last: number) => last - first < MARKED_MOST,
          // A point between gaps would be seen nowhere else.
          filter: (made: uPlot, place: number, areAllMarked: boolean) => {
            const [first, last] = made.series[0]?.idxs ?? [0, 0];
            return areAllMarked ? null : isolatedIn(made.data[place] ?? [], first, last);
          },
          size: 4,
        },
      })),
    ],
    hooks: {
      setSelect: [
        (made) => {
          const { left, width } = made.select;
          if (width < 6) return;
          onZoom.current?.(made.posToVal(left, "x"), made.posToVal(left + width, "x"));
          made.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
      drawClear: [(made) => drawBands(made, element, overlays.current.bands ?? [])],
      draw: [
        (made) => {
          drawThresholds(made, element, overlays.current.thresholds ?? []);
          element.dataset.draws = String(Number(element.dataset.draws ?? 0) + 1);
        },
      ],
    },
  };
}

const QUARTER_MS = 900_000;

/**
 * Return what gives an instant as a date whose local fields are those of a zone.
 *
 * The zone's offset is asked once a quarter of an hour: clocks are changed at no other instants, and asking takes longer
 * than drawing.
 */
function zoned(zone: string): (ms: number) => Date {
  const offsets = new Map<number, number>();
  return (ms) => {
    const quarter = Math.floor(ms / QUARTER_MS) * QUARTER_MS;
    let offset = offsets.get(quarter);
    if (offset === undefined) {
      if (offsets.size > 1_000) offsets.clear();
      offset = uPlot.tzDate(new Date(quarter), zone).getTime() - quarter;
      offsets.set(quarter, offset);
    }
    return new Date(ms + offset);
  };
}

const DAY_MS = 86_400_000;
const texts = new Map<string, string>();

/** Return `dateTime` of an instant; a tick of a live chart is drawn many times. */
function tickText(ms: number, zone: string): string {
  const key = `${ms} ${zone}`;
  let known = texts.get(key);
  if (known === undefined) {
    if (texts.size > 1_000) texts.clear();
    known = dateTime(ms * 1000, zone);
    texts.set(key, known);
  }
  return known;
}

/** Return the texts of the time axis: hours and minutes, with the date where a day begins; dates alone beyond days. */
function tickTexts(splits: readonly number[], zone: string): string[] {
  const step = (splits[1] ?? 0) - (splits[0] ?? 0);
  let shown = "";
  return splits.map((ms) => {
    const [date = "", time = ""] = tickText(ms, zone).split(" ");
    if (step >= DAY_MS) return date;
    const clock = step < 60_000 ? time : time.slice(0, 5);
    if (date === shown) return clock;
    shown = date;
    return `${clock}\n${date}`;
  });
}

// A threshold farther from the data than so many times their range would make a flat line of them.
const FAR = 4;

/** Return the range of the value axis: the data, and the thresholds that are not far from them. */
function rangeOf(low: number | null, high: number | null, thresholds: readonly Threshold[]): [number, number] {
  let [least, most] = [low ?? 0, high ?? 1];
  const reach = FAR * Math.max(most - least, Math.abs(most) / 20);
  for (const { value } of thresholds) {
    if (value < least && value > (low ?? 0) - reach) least = value;
    if (value > most && value < (high ?? 1) + reach) most = value;
  }
  const margin = most > least ? (most - least) * 0.08 : Math.max(Math.abs(most) * 0.08, 0.5);
  return [least - margin, most + margin];
}

function drawBands(made: uPlot, element: Element, bands: readonly Band[]): void {
  const { ctx, bbox } = made;
  ctx.save();
  ctx.fillStyle = resolved(element, "var(--bad-soft)");
  for (const band of bands) {
    const left = Math.max(bbox.left, made.valToPos(band.fromMs, "x", true));
    const right = Math.min(bbox.left + bbox.width, made.valToPos(band.toMs, "x", true));
    if (right > left) ctx.fillRect(left, bbox.top, Math.max(right - left, 2), bbox.height);
  }
  ctx.restore();
}

const LABEL_PX = 13;

function drawThresholds(made: uPlot, element: Element, thresholds: readonly Threshold[]): void {
  const { ctx, bbox } = made;
  ctx.save();
  ctx.strokeStyle = resolved(element, "var(--bad)");
  ctx.fillStyle = ctx.strokeStyle;
  ctx.setLineDash([6, 4]);
  ctx.font = `${12 * devicePixelRatio}px system-ui`;
  ctx.textAlign = "left";
  const placed: number[] = [];
  for (const threshold of thresholds) {
    const y = made.valToPos(threshold.value, "y", true);
    if (y < bbox.top || y > bbox.top + bbox.height) continue;
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    // Above its line, or below it where another label is in the way; two that are too close leave one out.
    const base = [y - 6 * devicePixelRatio, y + 14 * devicePixelRatio].find((at) => placed.every((other) => Math.abs(at - other) >= LABEL_PX * devicePixelRatio));
    if (base === undefined) continue;
    placed.push(base);
    ctx.fillText(threshold.label, bbox.left + 4 * devicePixelRatio, base);
  }
  ctx.restore();
}
