import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useMemo } from "react";
import { useRuleLines } from "../rules/useRuleLines";
import { isPast, type Search } from "../time/moment";
import { useMoment } from "../time/useMoment";
import { dateMinute, useZone } from "../time/zone";
import { Chart, type ChartSeries } from "../ui/Chart";
import { download } from "../ui/download";
import { Empty, Failed, Loading } from "../ui/States";
import { csvOf } from "./csv";
import { type PanelView, panelSearchOf, panelViewOf, type Range, WINDOWS } from "./panelView";
import type { SeriesPoints } from "./seriesBuffer";
import { useSeries } from "./useSeries";

const SERIES_SHOWN = 24;

type Props = {
  entityId: string;
  /** Called with the range that is shown, for what is drawn below it on the same axis. */
  onRange?: (range: Range) => void;
};

/** The series of an entity, a panel a unit, with a shared cursor, at the moment that is shown; what of them is in the address. */
export function TelemetryPanel({ entityId, onRange }: Props) {
  const lines = useRuleLines(entityId);
  const { moment } = useMoment();
  const zone = useZone();
  const { window: length, zoom: zoomed, without } = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  const { windowMs, zoom, hidden } = useMemo(() => panelViewOf({ window: length, zoom: zoomed, without }), [length, zoomed, without]);
  const show = (part: Partial<PanelView>) =>
    void navigate({ to: ".", search: (before) => ({ ...before, ...panelSearchOf(part) }), replace: true, resetScroll: false });
  const endMs = isPast(moment) ? moment.at / 1000 : null;
  const window = zoom ?? (endMs === null ? null : { fromMs: endMs - windowMs, toMs: endMs });
  const state = useSeries({
    entityId,
    metrics: null,
    fromMs: window?.fromMs ?? 0,
    toMs: window?.toMs ?? null,
    windowMs: window === null ? windowMs : window.toMs - window.fromMs,
    timezone: zone,
  });
  const metrics = [...new Set(state.series.map((series) => series.metric))];
  const shown = useMemo(() => state.series.filter((series) => !hidden.has(series.metric)).slice(0, SERIES_SHOWN), [state.series, hidden]);
  const panels = useMemo(() => byUnit(shown), [shown]);
  const { fromMs, toMs } = state;
  useEffect(() => onRange?.({ fromMs, toMs }), [onRange, fromMs, toMs]);
  return (
    <div className="stack">
      <div className="bar">
        <fieldset className="bar plain-set">
          <legend className="visually-hidden">Length of time</legend>
          {WINDOWS.map(([name, label, ms]) => (
            <button
              type="button"
              className="button"
              key={name}
              aria-pressed={zoom === null && windowMs === ms}
              onClick={() => show({ windowMs: ms, zoom: null })}
            >
              {label}
            </button>
          ))}
        </fieldset>
        {zoom && (
          <button type="button" className="button" onClick={() => show({ zoom: null })}>
            Whole window ({dateMinute(zoom.fromMs * 1000, zone)} to {dateMinute(zoom.toMs * 1000, zone)})
          </button>
        )}
        <span className="spring" />
        {state.dropped > 0 && (
          <span className="tag" role="status">
            {state.dropped.toLocaleString("en")} updates came too fast to follow; their points were read again
          </span>
        )}
        {state.isThinned && <span className="tag">Too many points to draw one by one: averages are shown</span>}
        {state.isPartial && <span className="tag" title="Thinned so that the shape stays, or no longer kept in full">in part</span>}
        <button
          type="button"
          className="button"
          disabled={shown.length === 0}
          onClick={() => download(`argus-${entityId}.csv`, "text/csv", csvOf(shown))}
        >
          CSV
        </button>
      </div>
      {metrics.length > 1 && (
        <fieldset className="bar plain-set">
          <legend className="visually-hidden">Metrics</legend>
          {metrics.map((metric) => (
            <label key={metric} className="inline">
              <input
                type="checkbox"
                checked={!hidden.has(metric)}
                onChange={() => show({ hidden: toggled(hidden, metric) })}
              />
              {metric}
            </label>
          ))}
        </fieldset>
      )}
      <Failed faults={state.faults} retry={state.refetch} />
      {state.isLoading && state.faults.length === 0 && <Loading what="telemetry" />}
      {!state.isLoading && shown.length === 0 && (
        <Empty title="No values in this window">
          <p>Choose a longer one, or move the time bar to where there were some.</p>
        </Empty>
      )}
      {panels.map(([unit, series]) => (
        <div className="panel" key={unit}>
          <Chart
            title={unit}
            series={series}
            source={state.source}
            fromMs={state.fromMs}
            toMs={state.toMs}
            sync={entityId}
            onZoom={(fromMs, toMs) => show({ zoom: { fromMs, toMs } })}
            {...(zoom === null ? {} : { onWhole: () => show({ zoom: null }) })}
            {...(state.gapMs === undefined ? {} : { gapMs: state.gapMs })}
            thresholds={lines.filter((line) => series.some((one) => one.metric === line.metric))}
          />
        </div>
      ))}
      <Texts series={shown.filter((one) => one.type === "TEXT")} />
    </div>
  );
}

function toggled(set: ReadonlySet<string>, item: string): ReadonlySet<string> {
  const next = new Set(set);
  if (!next.delete(item)) next.add(item);
  return next;
}

const SWITCHES = "on / off";

type Plotted = ChartSeries & { metric: string };

/** Numbers by unit, one panel each; on-off values have a panel of their own, the last. */
function byUnit(series: readonly SeriesPoints[]): [string, Plotted[]][] {
  const panels = new Map<string, Plotted[]>();
  for (const { key, metric, port, unit, type, timestamps, values } of series) {
    if (type === "TEXT") continue;
    const label = port === null ? metric : `${metric} (port ${port})`;
    const title = type === "BOOLEAN" ? SWITCHES : (unit ?? "no unit");
    const plotted = { key, metric, label, unit, timestamps, values, isSwitch: type === "BOOLEAN" };
    panels.set(title, [...(panels.get(title) ?? []), plotted]);
  }
  return [...panels].sort(([a], [b]) => Number(a === SWITCHES) - Number(b === SWITCHES));
}

const TEXTS_SHOWN = 30;

function Texts({ series }: { series: readonly SeriesPoints[] }) {
  const zone = useZone();
  const rows = series
    .flatMap((one) => one.texts.map((text, index) => ({ at: one.timestamps[index] as number, metric: one.metric, text })).slice(-TEXTS_SHOWN))
    .filter((row) => row.text !== null)
    .sort((a, b) => b.at - a.at)
    .slice(0, TEXTS_SHOWN);
  if (rows.length === 0) return null;
  return (
    <div className="panel scroll">
      <h2>Texts</h2>
      <table>
        <thead>
          <tr>
            <th scope="col">Time ({zone})</th>
            <th scope="col">Metric</th>
            <th scope="col">Text</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={`${row.metric} ${row.at}`}>
              <td className="number nowrap">{dateMinute(row.at * 1000, zone)}</td>
              <td>{row.metric}</td>
              <td>{row.text}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
