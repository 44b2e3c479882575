import { useMemo } from "react";
import { graphql } from "../api/gen";
import { useApi } from "../api/hooks";
import { metricsOf } from "../edges/effects";
import { EntityLink } from "../entities/EntityLink";
import { versionOf } from "../time/holds";
import { textOf } from "../time/instant";
import { useMoment, useShown } from "../time/useMoment";
import { dateMinute, dateTime, useZone } from "../time/zone";
import { Failed, Loading } from "../ui/States";
import { useAsTable } from "../ui/useAsTable";
import { Instant } from "../ui/Time";
import { type Lane, lanesOf, type Stretch, stretchesOf, suppliersAt } from "./strip";
import "./strip.css";

const VERSIONS = graphql(`
  query SupplierVersions($ids: [ID!]!, $from: DateTime!, $to: DateTime!) {
    edgeVersions(entityIds: $ids, relationships: ["MONITORED_BY", "CONTROLLED_BY"], from: $from, to: $to, first: 500) {
      nodes {
        id
        edgeId
        port
        metadata
        validFrom
        validUntil
        recordedAt
        retractedAt
        target {
          id
          kind
          name
        }
      }
      pageInfo {
        hasNextPage
      }
    }
  }
`);

const MINUTE_US = 60e6;
const COLOURS = 8;

/**
 * Which device supplied which stretch of the series above: a band for every device and port, on the same time axis.
 *
 * By what is believed today; under "What we saw then" by what was believed then. It follows the thumb of the time bar
 * without a request: the versions of the links in the window are requested once.
 */
export function SupplierStrip({ entityId, fromMs, toMs }: { entityId: string; fromMs: number; toMs: number }) {
  const zone = useZone();
  const { moment } = useMoment();
  const { asOf, knownAt } = useShown();
  const [asTable, toggleTable] = useAsTable();
  const from = Math.round(fromMs * 1000);
  const to = Math.round(toMs * 1000);
  // To the minute, and a minute more: a live window that moves asks again once a minute at most.
  const requested = { from: Math.floor(from / MINUTE_US) * MINUTE_US, to: Math.ceil(to / MINUTE_US) * MINUTE_US + MINUTE_US };
  const answer = useApi(
    VERSIONS,
    { ids: [entityId], from: textOf(requested.from), to: textOf(requested.to) },
    { keep: true, staleMs: 30_000, enabled: to > from },
  );
  const nodes = answer.data?.edgeVersions.nodes;
  const versions = useMemo(
    () =>
      (nodes ?? []).map((edge) => ({
        ...versionOf(edge),
        deviceId: edge.target.id,
        port: edge.port ?? null,
      })),
    [nodes],
  );
  if (answer.error) return <Failed faults={answer.error.faults} retry={() => void answer.refetch()} />;
  if (answer.data === undefined) return <Loading what="which device supplied what" rows={1} />;
  const lanes = lanesOf(versions, from, to, knownAt).filter((lane) => lane.version.edge !== undefined);
  const stretches = stretchesOf(lanes, from, to);
  // While live the end of the window is now.
  const at = Math.min(asOf, to - 1);
  const current = at >= from ? suppliersAt(lanes, at) : [];
  const belief = moment.mode === "seen" ? "as it was believed at the moment shown (the points above are today's)" : "as is believed today";
  return (
    <section className="panel stack tight" aria-label="Which device supplied what" data-lanes={lanes.length}>
      <header>
        <h2>Supplied by</h2>
        <span className="muted small">
          {belief}
          {at >= from && `; ${current.length === 0 ? "nobody" : current.map((key) => nameOf(lanes, key)).join(" and ")} at ${dateTime(asOf, zone)}`}
          {at < from && `; ${dateTime(asOf, zone)} lies before the window`}
        </span>
        <button type="button" className="button quiet" aria-pressed={asTable} onClick={toggleTable}>
          Table
        </button>
      </header>
      <Failed faults={answer.faults} />
      {answer.data.edgeVersions.pageInfo.hasNextPage && <span className="tag">in part: the newest 500 versions of its links</span>}
      {lanes.length === 0 && <p className="muted">No device was linked in this window. Points here come from formulas, or there are none.</p>}
      {asTable ? (
        <StretchTable stretches={stretches} lanes={lanes} />
      ) : (
        <div className="strip">
          {lanes.map((lane, index) => (
            <LaneBands key={lane.key} lane={lane} index={index} from={from} to={to} thumb={asOf} zone={zone} isCurrent={current.includes(lane.key)} />
          ))}
        </div>
      )}
    </section>
  );
}

type Version = ReturnType<typeof versionOf<{ id: string; edgeId: string; port?: number | null; metadata: unknown; validFrom: string; validUntil?: string | null; recordedAt: string; retractedAt?: string | null; target: { id: string; kind: string; name: string } }>> & {
  deviceId: string;
  port: number | null;
};

function nameOf(lanes: readonly Lane<Version>[], key: string): string {
  const lane = lanes.find((each) => each.key === key);
  if (!lane) return "";
  return lane.version.port === null ? lane.version.edge.target.name : `${lane.version.edge.target.name}, port ${lane.version.port}`;
}

function LaneBands({
  lane,
  index,
  from,
  to,
  thumb,
  zone,
  isCurrent,
}: {
  lane: Lane<Version>;
  index: number;
  from: number;
  to: number;
  thumb: number;
  zone: string;
  isCurrent: boolean;
}) {
  const share = (at: number) => ((at - from) / (to - from)) * 100;
  const metrics = metricsOf(lane.version.edge.metadata);
  return (
    <div className="strip-lane" data-lane={lane.key} data-current={isCurrent}>
      <span className="small">
        <EntityLink entity={lane.version.edge.target} />
        {lane.version.port !== null && <span className="muted"> port {lane.version.port}</span>}
        {metrics && <span className="muted"> {metrics.join(", ")}</span>}{" "}
        {lane.bands.length === 0 ? <span className="tag past">not in this version</span> : isCurrent && <span className="tag good">✓ at the moment shown</span>}
      </span>
      <div className="strip-track">
        {lane.bands.map((band) => (
          <span
            key={band.from}
            className="strip-band"
            title={`${lane.version.edge.target.name}: ${dateTime(band.from, zone)} to ${band.isOpen ? "the end of the window, and on" : dateTime(band.until, zone)}`}
            style={{ left: `${share(band.from)}%`, width: `${share(band.until) - share(band.from)}%`, background: `var(--series-${(index % COLOURS) + 1})` }}
          />
        ))}
        {from <= thumb && thumb < to && <span className="strip-thumb" style={{ left: `${share(thumb)}%` }} />}
      </div>
      <span className="visually-hidden">
        {lane.bands.map((band) => `${dateMinute(band.from, zone)} to ${band.isOpen ? "the end of the window" : dateMinute(band.until, zone)}`).join("; ")}
      </span>
    </div>
  );
}

function StretchTable({ stretches, lanes }: { stretches: readonly Stretch[]; lanes: readonly Lane<Version>[] }) {
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="Which device supplied what, as a table">
      <table>
        <thead>
          <tr>
            <th scope="col">From</th>
            <th scope="col">Until</th>
            <th scope="col">Device, port</th>
          </tr>
        </thead>
        <tbody>
          {stretches.map((stretch) => (
            <tr key={stretch.from}>
              <td>
                <Instant at={textOf(stretch.from)} />
              </td>
              <td>
                <Instant at={textOf(stretch.until)} />
              </td>
              <td>{stretch.keys.length === 0 ? <span className="muted">nobody</span> : stretch.keys.map((key) => nameOf(lanes, key)).join("; ")}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
