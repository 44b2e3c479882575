import { useEffect, useState } from "react";
import { graphql } from "../api/gen";
import { useLive } from "../api/live";
import { textOf } from "../time/instant";
import { isPast } from "../time/moment";
import { useMoment } from "../time/useMoment";
import { numberText } from "../ui/Chart";
import { Empty } from "../ui/States";
import { Age, Instant } from "../ui/Time";

export type LatestValue = { metric: string; port?: number | null; unit?: string | null; value?: number | null; text?: string | null; timestamp: string };
type Packed = {
  metric: string;
  port?: number | null;
  unit?: string | null;
  timestamps: readonly number[];
  values: readonly (number | null)[];
  texts?: readonly (string | null)[] | null;
};

const POINTS = graphql(`
  subscription LatestPoints($ids: [ID!]!) {
    telemetry(entityIds: $ids, interval: "PT1S") {
      series {
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
`);

/** Return the last value of each series; of buckets the beginning of the bucket stands for its time. */
export function lastOf(series: readonly Packed[]): LatestValue[] {
  return series.flatMap((each) => {
    for (let index = each.timestamps.length - 1; index >= 0; index--) {
      const value = each.values[index] ?? null;
      const text = each.texts?.[index] ?? null;
      if (value !== null || text !== null) {
        return [{ metric: each.metric, port: each.port ?? null, unit: each.unit ?? null, value, text, timestamp: textOf((each.timestamps[index] as number) * 1000) }];
      }
    }
    return [];
  });
}

const keyOf = (each: LatestValue) => `${each.metric} ${each.port ?? ""}`;

/** The latest value of each series of an entity, with its age; live by a subscription. In the past: the last before it. */
export function Latest({ entityId, values, bucketText }: { entityId: string; values: readonly LatestValue[]; bucketText?: string }) {
  const { moment } = useMoment();
  const [newer, setNewer] = useState<ReadonlyMap<string, LatestValue>>(new Map());
  useEffect(() => setNewer(new Map()), [entityId]);
  useLive(POINTS, isPast(moment) ? null : { ids: [entityId] }, ({ telemetry }) => {
    const last = lastOf(telemetry.series);
    if (last.length > 0) setNewer((before) => new Map([...before, ...last.map((each) => [keyOf(each), each] as const)]));
  });
  const rows = new Map(values.map((each) => [keyOf(each), each]));
  if (!isPast(moment)) for (const [key, each] of newer) if (each.timestamp >= (rows.get(key)?.timestamp ?? "")) rows.set(key, each);
  if (rows.size === 0) {
    return (
      <Empty title="No values yet">
        <p>Values come from the devices that are linked: link one, or move the time bar to where one was.</p>
      </Empty>
    );
  }
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Metric</th>
          <th scope="col" className="number">
            Value
          </th>
          <th scope="col" className="number">
            {isPast(moment) ? (bucketText ?? "At") : "Age"}
          </th>
        </tr>
      </thead>
      <tbody>
        {[...rows.values()]
          .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
          .map((each) => (
            <tr key={keyOf(each)}>
              <td>
                {each.metric}
                {each.port !== null && each.port !== undefined && <span className="muted"> port {each.port}</span>}
              </td>
              <td className="number">{each.value === null || each.value === undefined ? each.text : `${numberText(each.value)} ${each.unit ?? ""}`}</td>
              <td className="number">{isPast(moment) ? <Instant at={each.timestamp} /> : <Age at={each.timestamp} />}</td>
            </tr>
          ))}
      </tbody>
    </table>
  );
}
