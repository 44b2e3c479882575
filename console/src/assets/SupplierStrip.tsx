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
import { type Supplier, suppliersOf, type SupplyRange, supplyRangesOf, suppliersAt } from "./strip";
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
 * Which device supplied which range of the series above: a band for every device and port, on the same time axis.
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
  const suppliers = suppliersOf(versions, from, to, knownAt).filter((supplier) => supplier.version.edge !== undefined);
  const ranges = supplyRangesOf(suppliers, from, to);
  // While live the end of the window is now.
  const at = Math.min(asOf, to - 1);
  const current = at >= from ? suppliersAt(suppliers, at) : [];
  const belief = moment.mode === "seen" ? "as it was believed at the moment shown (the points above are today's)" : "as is believed today";
  return (
    <section className="panel stack tight" aria-label="Which device supplied what" data-suppliers={suppliers.length}>
      <header>
        <h2>Supplied by</h2>
        <span className="muted small">
          {belief}
          {at >= from && `; ${current.length === 0 ? "nobody" : current.map((key) => nameOf(suppliers, key)).join(" and ")} at ${dateTime(asOf, zone)}`}
          {at < from && `; ${dateTime(asOf, zone)} lies before the window`}
        </span>
        <button type="button" className="button quiet" aria-pressed={asTable} onClick={toggleTable}>
          Table
        </button>
      </header>
      <Failed faults={answer.faults} />
      {answer.data.edgeVersions.pageInfo.hasNextPage && <span className="tag">in part: the newest 500 versions of its links</span>}
      {suppliers.length === 0 && <p className="muted">No device was linked in this window. Its points, if any, come from formulas.</p>}
      {asTable ? (
        <RangeTable ranges={ranges} suppliers={suppliers} />
      ) : (
        <div className="strip">
          {suppliers.map((supplier, index) => (
            <SupplierBands key={supplier.key} supplier={supplier} index={index} from={from} to={to} thumb={asOf} zone={zone} isCurrent={current.includes(supplier.key)} />
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

function nameOf(suppliers: readonly Supplier<Version>[], key: string): string {
  const supplier = suppliers.find((candidate) => candidate.key === key);
  if (!supplier) return "";
  return supplier.version.port === null ? supplier.version.edge.target.name : `${supplier.version.edge.target.name}, port ${supplier.version.port}`;
}

function SupplierBands({
  supplier,
  index,
  from,
  to,
  thumb,
  zone,
  isCurrent,
}: {
  supplier: Supplier<Version>;
  index: number;
  from: number;
  to: number;
  thumb: number;
  zone: string;
  isCurrent: boolean;
}) {
  const share = (at: number) => ((at - from) / (to - from)) * 100;
  const metrics = metricsOf(supplier.version.edge.metadata);
  return (
    <div className="strip-supplier" data-supplier={supplier.key} data-current={isCurrent}>
      <span className="small">
        <EntityLink entity={supplier.version.edge.target} />
        {supplier.version.port !== null && <span className="muted"> port {supplier.version.port}</span>}
        {metrics && <span className="muted"> {metrics.join(", ")}</span>}{" "}
        {supplier.bands.length === 0 ? <span className="tag past">not in this version</span> : isCurrent && <span className="tag good">✓ at the moment shown</span>}
      </span>
      <div className="strip-track">
        {supplier.bands.map((band) => (
          <span
            key={band.from}
            className="strip-band"
            title={`${supplier.version.edge.target.name}: ${dateTime(band.from, zone)} to ${band.isOpen ? "the end of the window, and on" : dateTime(band.until, zone)}`}
            style={{ left: `${share(band.from)}%`, width: `${share(band.until) - share(band.from)}%`, background: `var(--series-${(index % COLOURS) + 1})` }}
          />
        ))}
        {from <= thumb && thumb < to && <span className="strip-thumb" style={{ left: `${share(thumb)}%` }} />}
      </div>
      <span className="visually-hidden">
        {supplier.bands.map((band) => `${dateMinute(band.from, zone)} to ${band.isOpen ? "the end of the window" : dateMinute(band.until, zone)}`).join("; ")}
      </span>
    </div>
  );
}

function RangeTable({ ranges, suppliers }: { ranges: readonly SupplyRange[]; suppliers: readonly Supplier<Version>[] }) {
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
          {ranges.map((range) => (
            <tr key={range.from}>
              <td>
                <Instant at={textOf(range.from)} />
              </td>
              <td>
                <Instant at={textOf(range.until)} />
              </td>
              <td>{range.keys.length === 0 ? <span className="muted">nobody</span> : range.keys.map((key) => nameOf(suppliers, key)).join("; ")}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
