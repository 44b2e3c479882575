import { useState } from "react";
import { graphql } from "../api/gen";
import { useApi } from "../api/hooks";
import { now, textOf } from "../time/instant";
import { Failed } from "../ui/States";
import { Instant } from "../ui/Time";
import { countRange, type Effect, overlaps, pointsOf } from "./effects";
import { intervalOf, LINKS, linkOf } from "./links";
import { useEdgeHistory } from "./useEdgeHistory";

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
// What begins so short a time ago begins now: nothing is counted.
const NOW_US = 60e6;
const RELATIONSHIPS = [...LINKS];

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
  const isOpen = effect.until === null;
  const range = isOpen && effect.from > at - NOW_US ? null : countRange(effect, at);
  const counts = useApi(
    COUNTS,
    { deviceId: effect.device.id, from: range?.from ?? "", to: range?.to ?? "", bucket: range?.bucket ?? "PT1H" },
    { enabled: range !== null, staleMs: 60_000 },
  );
  const node = counts.data?.node;
  const series = node && "telemetry" in node ? (node.telemetry ?? []) : [];
  const points = counts.data === undefined ? null : pointsOf(series, effect);
  const isAtLeast = series.some(({ incomplete }) => incomplete);
  const verb = effect.what === "gains" ? "will get" : "will lose";
  const source = `${effect.device.name}${effect.port === null ? "" : `, port ${effect.port},`}`;
  if (range === null) {
    return (
      <>
        <b>{effect.entity.name}</b> {verb} the points of {source} from <Instant at={textOf(effect.from)} /> on.
      </>
    );
  }
  return (
    <>
      <b>{effect.entity.name}</b> {verb}{" "}
      <b className="number">
        {counts.error ? "the" : points === null ? "…" : `${isAtLeast ? "at least " : ""}${points.toLocaleString("en")}`} {points === 1 ? "point" : "points"}
      </b>{" "}
      of {source} from <Instant at={textOf(effect.from)} /> to {effect.until === null ? "now" : <Instant at={textOf(effect.until)} />}
      {effect.what === "loses" ? " that are attributed to it until now" : ""}
      {isOpen || (effect.until ?? 0) > at ? ", and those to come" : ""}. {effect.what === "gains" && <Sharers effect={effect} />}
      {counts.error && <Failed faults={counts.error.faults} />}
    </>
  );
}

/** To whom else the same points are attributed over a part of the time. */
function Sharers({ effect }: { effect: Effect }) {
  const history = useEdgeHistory(effect.device.id, RELATIONSHIPS);
  const names = new Set<string>();
  for (const version of history.versions) {
    const link = linkOf(version);
    if (version.retractedAt !== null || link === null || link.entity.id === effect.entity.id || link.port !== effect.port) continue;
    if (overlaps(intervalOf(version), effect)) names.add(link.entity.name);
  }
  if (names.size === 0) return null;
  return (
    <>
      Over a part of that time they are attributed to <b>{[...names].join(", ")}</b>, too, and stay so unless that link is corrected as well.
    </>
  );
}
