import { useState } from "react";
import { graphql } from "../api/gen";
import { useApi } from "../api/hooks";
import { now, textOf } from "../time/instant";
import { Failed } from "../ui/States";
import { Instant } from "../ui/Time";
import { countRange, type Effect, pointsOf } from "./effects";

const COUNTS = graphql(`
  query PointsOfRange($deviceId: ID!, $from: DateTime!, $to: DateTime!, $bucket: Duration!) {
    node(id: $deviceId) {
      id
      ... on Device {
        telemetry(from: $from, to: $to, bucket: $bucket, aggregate: COUNT) {
          metric
          port
          values
          incomplete
        }
      }
    }
  }
`);

const SHOWN = 8;

/** What will follow from a change of links, in words, before it is made: points are counted, a request a range. */
export function Consequences({ effects, hidden = 0 }: { effects: readonly Effect[]; hidden?: number }) {
  const names = [...new Set(effects.map((effect) => effect.entity.name))];
  return (
    <section className="panel stack tight" aria-label="What will follow" aria-live="polite">
      <h3>What will follow</h3>
      {effects.length === 0 && <p>Nothing: it holds at the same times as before.</p>}
      <ul className="stack tight effects">
        {effects.slice(0, SHOWN).map((effect) => (
          <li key={`${effect.what} ${effect.entity.id} ${effect.device.id} ${effect.port} ${effect.from} ${effect.until}`}>
            <EffectText effect={effect} />
          </li>
        ))}
      </ul>
      {effects.length - SHOWN + hidden > 0 && <p className="muted">and {effects.length - SHOWN + hidden} links more, in the same way</p>}
      {effects.length > 0 && (
        <p>
          Formulas, rollups, health and alarms of {names.slice(0, 3).join(", ")}
          {names.length > 3 ? ` and ${names.length - 3} more` : ""} over that time are recomputed; an alarm that only wrong points
          caused is withdrawn, with your reason. What was believed until now stays visible under <b>What we saw then</b>.
        </p>
      )}
    </section>
  );
}

function EffectText({ effect }: { effect: Effect }) {
  const [at] = useState(now);
  const range = countRange(effect, at);
  const counts = useApi(
    COUNTS,
    { deviceId: effect.device.id, from: range?.from ?? "", to: range?.to ?? "", bucket: range?.bucket ?? "PT1H" },
    { enabled: range !== null, staleMs: 60_000 },
  );
  const node = counts.data?.node;
  const series = node && "telemetry" in node ? (node.telemetry ?? []) : [];
  const isIncomplete = series.some((each) => each.incomplete);
  const points = counts.data === undefined ? null : pointsOf(series, effect);
  const isOpen = effect.until === null;
  const isFuture = isOpen || (effect.until ?? 0) > at;
  return (
    <>
      <b>{effect.entity.name}</b> {effect.what === "gains" ? "will get" : "will lose"}{" "}
      {range === null ? (
        "the points to come"
      ) : (
        <b className="number">
          {counts.error ? "the" : points === null ? "…" : `${isIncomplete ? "at least " : ""}${points.toLocaleString("en")}`}{" "}
          {points === 1 ? "point" : "points"}
        </b>
      )}{" "}
      of {effect.device.name}
      {effect.port === null ? "" : `, port ${effect.port},`} from <Instant at={textOf(effect.from)} /> to{" "}
      {isOpen ? "now" : <Instant at={textOf(effect.until ?? 0)} />}
      {effect.what === "loses" ? " that are attributed to it until now" : ""}
      {range !== null && isFuture ? ", and those to come" : ""}.
      {counts.error && <Failed faults={counts.error.faults} />}
    </>
  );
}
