import { Link } from "@tanstack/react-router";
import { AlarmList } from "../alarms/AlarmList";
import { isLink, linkOf } from "../edges/links";
import { useEdgeHistory } from "../edges/useEdgeHistory";
import { useHolding } from "../edges/useHolding";
import { EntityIdentity } from "../entities/EntityIdentity";
import { EntityLink } from "../entities/EntityLink";
import { relationshipLabel } from "../entities/relationships";
import type { Search } from "../time/moment";
import { LatestValues } from "../telemetry/LatestValues";
import { isPast } from "../time/moment";
import { useMoment } from "../time/useMoment";
import { EntityRules } from "../rules/EntityRules";
import { Failed, Loading, NowNote } from "../ui/States";

type Fields = { type?: string | null; status: string; externalId?: string | null; attributes: unknown; deletedAt?: string | null };
type Props = {
  device: Fields & { id: string; createdAt: string; updatedAt: string; firmwareVersion?: string | null };
  record: (Fields & { recordedAt: string; actor: string }) | null | undefined;
};

/** What a device is, what it monitors at the moment shown, its latest values, open alarms and rules. Four requests. */
export function DeviceOverview({ device, record }: Props) {
  const { moment } = useMoment();
  return (
    <>
      <div className="columns">
        <section className="panel">
          <h2>{isPast(moment) ? "Values at the moment" : "Latest values"}</h2>
          <LatestValues entityId={device.id} />
        </section>
        <Monitored deviceId={device.id} />
        <section className="panel">
          <h2>Identity</h2>
          <EntityIdentity entity={device} record={record} mode={moment.mode}>
            <dt>Firmware</dt>
            <dd>
              {device.firmwareVersion ?? <span className="muted">unknown</span>} <NowNote past={isPast(moment)} />
            </dd>
          </EntityIdentity>
        </section>
      </div>
      <section className="stack tight">
        <h2>Open alarms</h2>
        <AlarmList filter={{ entityIds: [device.id] }} maxHeight="260px" empty={<p className="muted">No alarm is open at this device. Alarms of the assets it monitors are on their pages.</p>} />
      </section>
      <EntityRules entityId={device.id} />
    </>
  );
}

function Monitored({ deviceId }: { deviceId: string }) {
  const history = useEdgeHistory(deviceId, null);
  const { holding } = useHolding(history.versions);
  const links = holding.filter((version) => isLink(version.edge.relationship));
  const others = holding.filter((version) => !isLink(version.edge.relationship));
  return (
    <section className="panel">
      <header>
        <h2>Monitors and controls</h2>
        <Link to="." search={(before: Search) => ({ ...before, tab: "links" })} className="small">
          All links
        </Link>
      </header>
      <Failed faults={history.faults} retry={history.retry} />
      {history.isLoading && <Loading what="links" />}
      {!history.isLoading && links.length === 0 && <p className="muted">Nothing at this moment: its readings belong to no asset.</p>}
      <ul className="plain stack tight">
        {links.map((version) => (
          <li key={version.id}>
            <span className="muted">{relationshipLabel(version.edge.relationship, false)}</span> <EntityLink entity={version.edge.source} />{" "}
            <span className="muted small">
              {version.edge.source.type ?? version.edge.source.kind.toLowerCase()}
              {linkOf(version)?.port === null ? "" : `, port ${version.edge.port}`}
            </span>
          </li>
        ))}
        {others.map((version) => (
          <li key={version.id}>
            <span className="muted">{relationshipLabel(version.edge.relationship, version.edge.source.id === deviceId)}</span>{" "}
            <EntityLink entity={version.edge.source.id === deviceId ? version.edge.target : version.edge.source} />
          </li>
        ))}
      </ul>
    </section>
  );
}
