import { useEffect, useState } from "react";
import { graphql } from "../api/gen";
import { useApi } from "../api/hooks";
import { onReopened, useLive } from "../api/live";
import { textOf } from "../time/instant";
import { isPast } from "../time/moment";
import { useMoment } from "../time/useMoment";
import { Failed, Loading } from "../ui/States";
import { Age } from "../ui/Time";
import { type LatestValue, latestOf, newer, valueText } from "./latest";

const LATEST = graphql(`
  query LatestValues($id: ID!, $isNow: Boolean!, $from: DateTime!, $to: DateTime) {
    node(id: $id) {
      id
      ... on Entity {
        latest @include(if: $isNow) {
          metric
          port
          unit
          type
          value
          text
          timestamp
        }
        telemetry(from: $from, to: $to, bucket: "PT1H", aggregate: LAST) @skip(if: $isNow) {
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

const POINTS = graphql(`
  subscription LatestPoints($ids: [ID!]!, $after: String) {
    telemetry(entityIds: $ids, after: $after, interval: "PT1S") {
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
      dropped
      cursor
    }
  }
`);

const DAY_US = 86_400e6;
const EPOCH = "1970-01-01T00:00:00Z";

/** The newest value of each series with its age, live; in the past the last of the 24 hours before the moment. */
export function LatestValues({ entityId }: { entityId: string }) {
  const { moment } = useMoment();
  const isNow = !isPast(moment);
  const range = isPast(moment) ? { from: textOf(moment.at - DAY_US), to: textOf(moment.at) } : { from: EPOCH, to: null };
  const answer = useApi(LATEST, { id: entityId, isNow, ...range }, { staleMs: 2_000 });
  const [values, setValues] = useState<LatestValue[] | null>(null);
  const { data, refetch } = answer;
  useEffect(() => {
    const node = data?.node;
    if (!node || !("telemetry" in node || "latest" in node)) return;
    setValues(node.latest ? node.latest.map((point) => ({ ...point, port: point.port ?? null, unit: point.unit ?? null, value: point.value ?? null, text: point.text ?? null })) : latestOf(node.telemetry ?? []));
  }, [data]);
  useLive(
    POINTS,
    isNow ? { ids: [entityId] } : null,
    ({ telemetry }) => {
      if (telemetry.invalidated.length > 0 || telemetry.dropped > 0) void refetch();
      setValues((before) => newer(before ?? [], latestOf(telemetry.series)));
    },
    {
      resume: (sent, update) => {
        sent.after = update.telemetry.cursor;
      },
    },
  );
  useEffect(() => onReopened(() => void refetch()), [refetch]);
  return (
    <section className="panel">
      <header>
        <h2>{isNow ? "Latest values" : "Values at the moment"}</h2>
        {!isNow && <span className="muted small">the last of each series in the 24 h before</span>}
      </header>
      <Failed faults={answer.error?.faults ?? answer.faults} retry={() => void refetch()} />
      {values === null && !answer.error && <Loading what="values" />}
      {values?.length === 0 && <p className="muted">{isNow ? "It has not sent anything yet." : "It had sent nothing in those 24 hours."}</p>}
      {values !== null && values.length > 0 && (
        <div className="scroll">
          <table>
            <thead>
              <tr>
                <th scope="col">Metric</th>
                <th scope="col" className="number">
                  Value
                </th>
                <th scope="col" className="number">
                  {isNow ? "Age" : "Age then, at most"}
                </th>
              </tr>
            </thead>
            <tbody>
              {values.map((value) => (
                <tr key={`${value.metric} ${value.port}`}>
                  <td>
                    {value.metric}
                    {value.port !== null && <span className="muted small"> port {value.port}</span>}
                  </td>
                  <td className="number nowrap">
                    <b>{valueText(value)}</b> <span className="muted">{value.unit === "Cel" ? "°C" : value.unit}</span>
                  </td>
                  <td className="number">
                    <Age at={value.timestamp} from={isPast(moment) ? moment.at : null} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
