import { useEffect, useId, useMemo, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { dateTime, useZone } from "../time/zone";
import { useAsTable } from "./useAsTable";
import { numberText } from "./numbers";

/** A series as the API packs it: `timestamps` in milliseconds, ascending. Null: a gap. */
export type ChartSeries = {
  key: string;
  label: string;
  unit: string | null;
  timestamps: readonly number[];
  values: readonly (number | null)[];
  /** True: a value holds until the next one, as of what is on or off. */
  isStepped?: boolean;
};

/** A line across the chart, of a rule. */
export type Threshold = { value: number; label: string };
/** A shaded range of time, e.g. the time in which an alarm was open. */
export type Band = { fromMs: number; toMs: number; label: string };

type Props = {
  title: string;
  series: readonly ChartSeries[];
  fromMs: number;
  toMs: number;
  thresholds?: readonly Threshold[];
  bands?: readonly Band[];
  height?: number;
  /** Charts of one name share their cursor. */
  sync?: string;
  onZoom?: (fromMs: number, toMs: number) => void;
  /** Points without a gap mark between them farther apart than this are not joined. */
  gapMs?: number;
};

const COLOURS = 8;
const STEPPED = uPlot.paths.stepped?.({ align: 1 });

/**
 * A line chart over time. It is an image with a name; `t` shows the same as a table.
 *
 * Drawn at most once per animation frame, however often its data change.
 */
export function Chart(props: Props) {
  const { series, title, fromMs, toMs, height = 220 } = props;
  const [asTable] = useAsTable();
  const zone = useZone();
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const onZoom = useRef(props.onZoom);
  onZoom.current = props.onZoom;
  const overlays = useRef({ thresholds: props.thresholds, bands: props.bands });
  overlays.current = { thresholds: props.thresholds, bands: props.bands };
  const id = useId();

  const shape = series.map((each) => `${each.key} ${each.label}`).join("|");
  const data = useMemo(() => aligned(series, props.gapMs), [series, props.gapMs]);

  useEffect(() => {
    const element = host.current;
    if (element === null || asTable) return;
    const made = new uPlot(
      options({ element, labels: series, height, zone, sync: props.sync ?? null, onZoom, overlays }),
      data,
      element,
    );
    plot.current = made;
    // For tests: how often the chart was drawn is counted on its element.
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    const redraw = () => made.redraw(false);
    dark.addEventListener("change", redraw);
    return () => {
      dark.removeEventListener("change", redraw);
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
    // The plot is made again only where its series are others; data go in below.
  }, [shape, zone, height, asTable, props.sync]);

  useEffect(() => {
    const frame = requestAnimationFrame(() => {
      const made = plot.current;
      if (made === null) return;
      made.batch(() => {
        made.setData(data, false);
        made.setScale("x", { min: fromMs / 1000, max: toMs / 1000 });
        if (data[0].length === 0) made.setScale("y", { min: 0, max: 1 });
      });
    });
    return () => cancelAnimationFrame(frame);
  }, [data, fromMs, toMs, shape, zone, height, asTable]);

  // Said anew once a second at most: nobody hears fifty names a second, and each looks at all values.
  const second = Math.floor(toMs / 1000);
  const name = useMemo(() => spoken(title, series), [title, shape, second, series.length]);
  const points = series.reduce((sum, each) => sum + each.values.length, 0);
  return (
    <figure className="chart" style={{ margin: 0 }} aria-labelledby={id}>
      <figcaption id={id} className="chart-legend">
        <b>{title}</b>
        {series.map((each, index) => (
          <span key={each.key}>
            <span className="swatch" style={{ borderColor: colour(index) }} aria-hidden="true" />
            {each.label} <b className="number">{lastText(each)}</b>
          </span>
        ))}
        <span className="muted">
          {points.toLocaleString("en")} points · {zone}
        </span>
      </figcaption>
      {asTable ? (
        <SeriesTable series={series} zone={zone} />
      ) : (
        <div ref={host} role="img" aria-label={name} data-points={points} />
      )}
    </figure>
  );
}

function colour(index: number): string {
  return `var(--series-${(index % COLOURS) + 1})`;
}

const dark = matchMedia("(prefers-color-scheme: dark)");
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

function lastText(series: ChartSeries): string {
  const value = series.values.findLast((each) => each !== null);
  return value === undefined || value === null ? "—" : `${numberText(value)}${series.unit ? ` ${series.unit}` : ""}`;
}

function spoken(title: string, series: readonly ChartSeries[]): string {
  const parts = series.map((each) => {
    const values = each.values.filter((value) => value !== null);
    if (values.length === 0) return `${each.label}: no values`;
    const low = values.reduce((a, b) => Math.min(a, b));
    const high = values.reduce((a, b) => Math.max(a, b));
    return `${each.label}: ${values.length} values from ${numberText(low)} to ${numberText(high)}, last ${lastText(each)}`;
  });
  return `Chart of ${title}. ${parts.join(". ")}. Press t for a table.`;
}

/** Put series with timestamps of their own on one axis: undefined where a series has no point, null where a gap is. */
export function aligned(series: readonly ChartSeries[], gapMs?: number): uPlot.AlignedData {
  const first = series[0];
  if (first !== undefined && gapMs === undefined && series.every((each) => sameTimes(each.timestamps, first.timestamps))) {
    // One device's metrics come with one timestamp: there is nothing to join.
    return [first.timestamps.map((at) => at / 1000), ...series.map((each) => each.values as (number | null)[])];
  }
  const tables = series.map((each): uPlot.AlignedData => {
    const xs: number[] = [];
    const ys: (number | null)[] = [];
    for (let index = 0; index < each.timestamps.length; index++) {
      const at = each.timestamps[index] as number;
      const before = each.timestamps[index - 1];
      if (gapMs !== undefined && before !== undefined && at - before > gapMs) {
        xs.push((before + 1) / 1000);
        ys.push(null);
      }
      xs.push(at / 1000);
      ys.push(each.values[index] ?? null);
    }
    return [xs, ys];
  });
  if (tables.length === 0) return [[]];
  return tables.length === 1 ? (tables[0] as uPlot.AlignedData) : uPlot.join(tables, tables.map(() => [2, 2]));
}

function sameTimes(a: readonly number[], b: readonly number[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let index = a.length - 1; index >= 0; index--) if (a[index] !== b[index]) return false;
  return true;
}

type Making = {
  element: HTMLElement;
  labels: readonly ChartSeries[];
  height: number;
  zone: string;
  sync: string | null;
  onZoom: { current: Props["onZoom"] };
  overlays: { current: Pick<Props, "thresholds" | "bands"> };
};

function options({ element, labels, height, zone, sync, onZoom, overlays }: Making): uPlot.Options {
  const axis = {
    stroke: () => resolved(element, "var(--muted)"),
    grid: { stroke: () => resolved(element, "var(--line)"), width: 1 },
    ticks: { stroke: () => resolved(element, "var(--line)"), width: 1 },
    font: "12px system-ui",
  };
  return {
    width: Math.max(element.clientWidth, 200),
    height,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
    legend: { show: false },
    cursor: { ...(sync === null ? {} : { sync: { key: sync } }), drag: { x: true, y: false, setScale: false } },
    scales: { x: { time: true, auto: false }, y: { range: (_, low, high) => rangeOf(low, high, overlays.current.thresholds ?? []) } },
    axes: [{ ...axis, values: (_plot, splits) => tickTexts(splits, zone) }, { ...axis, size: 58 }],
    series: [
      {},
      ...labels.map((each, index) => ({
        label: each.label,
        stroke: () => resolved(element, colour(index)),
        width: 1.5,
        ...(each.isStepped && STEPPED ? { paths: STEPPED } : {}),
        points: { show: each.values.length < 80, size: 4 },
      })),
    ],
    hooks: {
      setSelect: [
        (made) => {
          const { left, width } = made.select;
          if (width < 6) return;
          onZoom.current?.(made.posToVal(left, "x") * 1000, made.posToVal(left + width, "x") * 1000);
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

const DAY_S = 86_400;

/** Return the texts of the time axis: hours and minutes, with the date where a day begins; dates alone beyond days. */
function tickTexts(splits: readonly number[], zone: string): string[] {
  const step = (splits[1] ?? 0) - (splits[0] ?? 0);
  let shown = "";
  return splits.map((seconds) => {
    const [date = "", time = ""] = dateTime(seconds * 1e6, zone).split(" ");
    if (step >= DAY_S) return date;
    const clock = step < 60 ? time : time.slice(0, 5);
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
    const left = Math.max(bbox.left, made.valToPos(band.fromMs / 1000, "x", true));
    const right = Math.min(bbox.left + bbox.width, made.valToPos(band.toMs / 1000, "x", true));
    if (right > left) ctx.fillRect(left, bbox.top, Math.max(right - left, 2), bbox.height);
  }
  ctx.restore();
}

function drawThresholds(made: uPlot, element: Element, thresholds: readonly Threshold[]): void {
  const { ctx, bbox } = made;
  ctx.save();
  ctx.strokeStyle = resolved(element, "var(--bad)");
  ctx.fillStyle = ctx.strokeStyle;
  ctx.setLineDash([6, 4]);
  ctx.font = `${12 * devicePixelRatio}px system-ui`;
  ctx.textAlign = "left";
  for (const threshold of thresholds) {
    const y = made.valToPos(threshold.value, "y", true);
    if (y < bbox.top || y > bbox.top + bbox.height) continue;
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.fillText(threshold.label, bbox.left + 4, y - 4);
  }
  ctx.restore();
}

const TABLE_ROWS = 500;

function SeriesTable({ series, zone }: { series: readonly ChartSeries[]; zone: string }) {
  const rows = series.flatMap((each) =>
    each.timestamps.map((at, index) => ({ at, label: each.label, unit: each.unit, value: each.values[index] ?? null })),
  );
  rows.sort((a, b) => b.at - a.at);
  return (
    <div className="scroll" style={{ maxHeight: 320, overflowY: "auto" }} tabIndex={0} role="region" aria-label="Values as a table">
      <table>
        <thead>
          <tr>
            <th scope="col">Time ({zone})</th>
            <th scope="col">Series</th>
            <th scope="col" className="number">
              Value
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, TABLE_ROWS).map((row) => (
            <tr key={`${row.label} ${row.at}`}>
              <td className="nowrap number">{dateTime(row.at * 1000, zone)}</td>
              <td>{row.label}</td>
              <td className="number">{row.value === null ? "no data" : `${numberText(row.value)} ${row.unit ?? ""}`}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > TABLE_ROWS && <p className="muted small">The newest {TABLE_ROWS} of {rows.length.toLocaleString("en")} values. CSV has them all.</p>}
    </div>
  );
}
