import { useEffect, useId, useMemo, useRef } from "react";
import uPlot from "uplot";
import { useZone } from "../time/zone";
import { ChartCursor } from "./ChartCursor";
import { aligned, type ChartSeries, type ChartSource, filled, gapsOf, lastText, spoken } from "./ChartData";
import { type Band, colour, dark, plotOptions, type Threshold } from "./ChartPlot";
import { ChartTable } from "./ChartTable";
import { useAsTable } from "./useAsTable";

export type { ChartSeries, ChartSource } from "./ChartData";
export type { Band, Threshold } from "./ChartPlot";

type Props = {
  title: string;
  series: readonly ChartSeries[];
  fromMs: number;
  toMs: number;
  /** Where the points come too often for React; then `series` is what is spoken and shown as a table. */
  source?: ChartSource | null;
  thresholds?: readonly Threshold[];
  bands?: readonly Band[];
  height?: number;
  /** Charts of one name share their cursor. */
  sync?: string;
  onZoom?: (fromMs: number, toMs: number) => void;
  /** Leave the range that was zoomed to. */
  onWhole?: () => void;
  /** Points farther apart than this are not joined, unless those of their series usually are. */
  gapMs?: number;
};

/**
 * A line chart over time. It is an image with a name, with a cursor for the keyboard; `t` shows the same as a table.
 *
 * Drawn at most once per animation frame, however often its data change. What comes from `source` is drawn without
 * rendering the component.
 */
export function Chart(props: Props) {
  const { series, title, fromMs, toMs, gapMs, source = null, height = 220 } = props;
  const [asTable] = useAsTable();
  const zone = useZone();
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const onZoom = useRef(props.onZoom);
  onZoom.current = props.onZoom;
  const overlays = useRef({ thresholds: props.thresholds, bands: props.bands });
  overlays.current = { thresholds: props.thresholds, bands: props.bands };
  const data = useRef<uPlot.AlignedData>([[]]);
  const id = useId();

  const shape = series.map((one) => `${one.key} ${one.label}`).join("|");
  const keys = useMemo(() => series.map((one) => one.key), [shape]);

  useEffect(() => {
    const element = host.current;
    if (element === null || asTable) return;
    const made = new uPlot(plotOptions({ element, labels: series, height, zone, sync: props.sync ?? null, onZoom, overlays }), [[]], element);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    const redraw = () => made.redraw(false);
    dark.addEventListener("change", redraw);
    return () => {
      dark.removeEventListener("change", redraw);
      observer.disconnect();
      made.destroy();
      plot.current = null;
      data.current = [[]];
    };
    // The plot is made again only where its series are others; data go in below.
  }, [shape, zone, height, asTable, props.sync]);

  useEffect(() => {
    const draw = () => {
      const made = plot.current;
      if (made === null) return;
      const given = source?.points(keys) ?? series;
      // Of buckets, empty ones are no points: how far the others are apart tells where a gap is.
      const points = gapMs === undefined ? given : given.map(filled);
      const range = source?.range() ?? { fromMs, toMs };
      data.current = aligned(points, gapMs === undefined ? undefined : gapsOf(points, gapMs), data.current);
      made.batch(() => {
        made.setData(data.current, false);
        made.setScale("x", { min: range.fromMs, max: range.toMs });
        if (data.current[0].length === 0) made.setScale("y", { min: 0, max: 1 });
      });
      if (host.current) host.current.dataset.points = String(points.reduce((sum, one) => sum + one.values.length, 0));
    };
    const frame = requestAnimationFrame(draw);
    const end = source?.onFrame(draw);
    return () => {
      cancelAnimationFrame(frame);
      end?.();
    };
  }, [series, keys, source, fromMs, toMs, gapMs, props.thresholds, props.bands, zone, height, asTable]);

  const name = useMemo(() => spoken(title, series), [title, series]);
  const points = series.reduce((sum, one) => sum + filled(one).values.length, 0);
  return (
    <figure className="chart" style={{ margin: 0 }} aria-labelledby={id}>
      <figcaption id={id} className="chart-legend">
        <b>{title}</b>
        {series.map((one, index) => (
          <span key={one.key}>
            <span className="swatch" style={{ borderColor: colour(index) }} aria-hidden="true" />
            {one.label} <b className="number">{lastText(one)}</b>
          </span>
        ))}
        <span className="muted">
          {points.toLocaleString("en")} points · {zone}
        </span>
      </figcaption>
      {asTable ? (
        <ChartTable series={series} zone={zone} />
      ) : (
        <div className="chart-plot">
          <div ref={host} role="img" aria-label={name} />
          <ChartCursor
            title={title}
            series={series}
            plot={plot}
            fromMs={fromMs}
            toMs={toMs}
            zone={zone}
            onZoom={props.onZoom}
            onWhole={props.onWhole}
          />
        </div>
      )}
    </figure>
  );
}
