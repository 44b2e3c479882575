import { useMemo, useState } from "react";
import { graphql } from "../api/gen";
import type { MetricType } from "../api/gen/graphql";
import { useApi } from "../api/hooks";
import { microsOf, now, textOf } from "../time/instant";
import { Chart, type ChartSeries } from "../ui/Chart";
import { Failed, Loading } from "../ui/States";
import type { AlarmDetail } from "./detail";
import { conditionLines, conditionMetrics } from "../rules/condition";
import { EpisodeOverlay } from "./EpisodeOverlay";
import { windowOf } from "./window";

const ALARM_SERIES = graphql(`
  query AlarmSeries($id: ID!, $metrics: [String!], $from: DateTime!, $to: DateTime!) {
    entity(id: $id) {
      id
      telemetry(metrics: $metrics, from: $from, to: $to, maxPoints: 800) {
        metric
        port
        unit
        type
        timestamps
        values
        truncated
        incomplete
      }
    }
  }
`);

/** The metrics that a rule reads around an alarm: where it held is shaded, the rule's values are lines. */
export function AlarmChart({ alarm }: { alarm: AlarmDetail }) {
  const [isOverlaid, setOverlaid] = useState(false);
  const condition = alarm.rule?.condition;
  const metrics = useMemo(() => conditionMetrics(condition), [condition]);
  // To the ten seconds: an open alarm does not ask again at every drawing.
  const clock = Math.ceil(now() / 10e6) * 10e6;
  const { from, to } = windowOf(microsOf(alarm.beganAt), alarm.clearedAt ? microsOf(alarm.clearedAt) : null, clock);
  const variables = { id: alarm.entity.id, metrics, from: textOf(from), to: textOf(to) };
  const answer = useApi(ALARM_SERIES, variables, { enabled: metrics.length > 0, keep: true, staleMs: 60_000 });
  const lines = conditionLines(condition);
  const all = answer.data?.entity?.telemetry ?? [];
  const ofPort = all.filter((series) => alarm.port == null || series.port == null || String(series.port) === alarm.port);
  if (alarm.rule == null) return <p className="muted">The rule was deleted, so its condition and its series are not known.</p>;
  if (answer.error) return <Failed faults={answer.error.faults} retry={() => void answer.refetch()} />;
  if (answer.data === undefined && metrics.length > 0) return <Loading what="the series" rows={2} />;
  const shaded = { fromMs: microsOf(alarm.beganAt) / 1000, toMs: (alarm.clearedAt ? microsOf(alarm.clearedAt) : clock) / 1000, label: "it held" };
  return (
    <section className="stack tight" aria-label="Series of the alarm">
      {metrics.map((metric) => {
        const series = ofPort.filter((one) => one.metric === metric).map(chartSeries);
        return (
          <Chart
            key={metric}
            title={metric}
            series={series}
            fromMs={from / 1000}
            toMs={to / 1000}
            height={170}
            sync="alarm"
            bands={[shaded]}
            thresholds={lines.filter((line) => line.metric === metric)}
          />
        );
      })}
      <Failed faults={answer.faults} />
      <p className="muted small">Shaded: while the condition held.</p>
      {metrics.length > 0 && (
        <div>
          <button type="button" className="button" aria-expanded={isOverlaid} onClick={() => setOverlaid((shown) => !shown)}>
            {isOverlaid ? "Hide earlier episodes" : "Compare with earlier episodes"}
          </button>
        </div>
      )}
      {isOverlaid && metrics[0] !== undefined && (
        <EpisodeOverlay alarm={alarm} metric={metrics[0]} thresholds={lines.filter((line) => line.metric === metrics[0])} />
      )}
    </section>
  );
}

type Packed = { metric: string; port?: number | null; unit?: string | null; type: MetricType; timestamps: readonly number[]; values: readonly (number | null)[] };

function chartSeries(series: Packed): ChartSeries {
  return {
    key: `${series.metric} ${series.port ?? ""}`,
    label: series.port == null ? series.metric : `${series.metric}, port ${series.port}`,
    unit: series.unit ?? null,
    timestamps: series.timestamps,
    values: series.values,
    isSwitch: series.type === "BOOLEAN",
  };
}
