import { useEffect, useState } from "react";
import { graphql } from "../api/gen";
import type { LatestValuesQuery } from "../api/gen/graphql";
import { useApi } from "../api/hooks";
import { onReopened, useLive } from "../api/live";
import { textOf } from "../time/instant";
import { isPast } from "../time/moment";
import { useMoment } from "../time/useMoment";
import { numberText } from "../ui/numbers";
import { Empty, Failed, Loading } from "../ui/States";
import { Age } from "../ui/Time";
import { withNewer } from "./latest";

const LATEST = graphql(`
  query LatestValues($id: ID!) {
    node(id: $id) {
      id
      ... on Entity {
        latest {
          metric
          port
          unit
          type
          value
          text
          timestamp
        }
      }
    }
  }
`);

const LAST_BEFORE = graphql(`
  query LastValuesBefore($id: ID!, $from: DateTime!, $to: DateTime!) {
    node(id: $id) {
      id
      ... on Entity {
        telemetry(from: $from, to: $to, maxPoints: 1) {
          metric
          port
          unit
          type
          timestamps
          values
          texts
        }
      }
    }
  }
`);

const NEWER = graphql(`
  subscription NewerValues($id: ID!, $after: String) {
    telemetry(entityIds: [$id], interval: "PT1S", after: $after) {
      series {
        metric
        port
        unit
        type
        timestamps
        values
        texts
      }
      invalidated {
        metric
      }
      cursor
    }
  }
`);

type Node = NonNullable<LatestValuesQuery["node"]>;
type Value = NonNullable<Extract<Node, { latest?: unknown }>["latest"]>[number];

const DAY_US = 86_400e6;

/**
 * The latest value of each series with its age: live, or the last one in the day up to the moment shown.
 *
 * One request, and while live one subscription.
 */
export function LatestValues({ entityId }: { entityId: string }) {
  const { moment } = useMoment();
  const past = isPast(moment);
  const latest = useApi(LATEST, { id: entityId }, { enabled: !past, staleMs: 5_000 });
  const at = past ? moment.at : 0;
  const before = useApi(LAST_BEFORE, { id: entityId, from: textOf(at - DAY_US), to: textOf(at + 1) }, { enabled: past, staleMs: 60_000 });
  const [newer, setNewer] = useState<ReadonlyMap<string, Value>>(new Map());
  useEffect(() => setNewer(new Map()), [entityId, past]);
  const { refetch } = latest;
  useEffect(() => onReopened(() => void refetch()), [refetch]);
  useLive(
    NEWER,
    past ? null : { id: entityId },
    ({ telemetry }) => {
      if (telemetry.invalidated.length > 0) {
        setNewer(new Map());
        void refetch();
      }
      setNewer((known) => withNewer(known, telemetry.series.flatMap(lastOf)));
    },
    {
      resume: (sent, update) => {
        sent.after = update.telemetry.cursor;
      },
    },
  );
  const answer = past ? before : latest;
  if (answer.data === undefined) return answer.error ? <Failed faults={answer.error.faults} retry={() => void answer.refetch()} /> : <Loading what="latest values" />;
  const values = past ? lastValues(before.data?.node) : merged(latest.data?.node, newer);
  if (values.length === 0) {
    return (
      <Empty title={past ? "No values in the 24 hours before" : "No values yet"}>
        <p>{past ? "No device sent any in the 24 hours before the moment shown." : "They appear when a linked device sends readings."}</p>
      </Empty>
    );
  }
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="Latest values">
      <table>
        <thead>
          <tr>
            <th scope="col">Metric</th>
            <th scope="col" className="number">
              Value
            </th>
            <th scope="col" className="number">
              Age
            </th>
          </tr>
        </thead>
        <tbody>
          {values.map((latest) => (
            <tr key={keyOf(latest)}>
              <td>
                {latest.metric.replace(/_/g, " ")}
                {latest.port !== null && latest.port !== undefined && <span className="muted"> port {latest.port}</span>}
              </td>
              <td className="number">
                <b>{textOfValue(latest)}</b> {latest.unit && <span className="muted">{latest.unit}</span>}
              </td>
              <td className="number">
                <Age at={latest.timestamp} from={past ? moment.at : null} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function keyOf(value: { metric: string; port?: number | null }): string {
  return `${value.metric} ${value.port ?? ""}`;
}

function textOfValue(value: Value): string {
  if (value.text) return value.text;
  if (value.value === null || value.value === undefined) return "—";
  if (value.type === "BOOLEAN") return value.value === 0 ? "off" : "on";
  return numberText(value.value);
}

type Series = Pick<Value, "metric" | "port" | "unit" | "type"> & {
  timestamps: readonly number[];
  values: readonly (number | null)[];
  texts?: readonly (string | null)[] | null;
};

function lastOf(series: Series): [string, Value][] {
  const index = series.timestamps.length - 1;
  const at = series.timestamps[index];
  if (at === undefined) return [];
  const { metric, port, unit, type } = series;
  const value = { metric, port: port ?? null, unit: unit ?? null, type, value: series.values[index] ?? null, text: series.texts?.[index] ?? null };
  return [[keyOf(series), { ...value, timestamp: textOf(at * 1000) }]];
}

function lastValues(node: object | null | undefined): Value[] {
  const series = node && "telemetry" in node ? ((node.telemetry as Series[] | null) ?? []) : [];
  return series.flatMap((latest) => lastOf(latest).map(([, value]) => value));
}

function merged(node: object | null | undefined, newer: ReadonlyMap<string, Value>): Value[] {
  const stored = node && "latest" in node ? ((node.latest as Value[] | null) ?? []) : [];
  const values = new Map(stored.map((value): [string, Value] => [keyOf(value), value]));
  return [...withNewer(values, [...newer]).values()];
}
