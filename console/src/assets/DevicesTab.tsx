import { useState } from "react";
import { graphql } from "../api/gen";
import { useApi } from "../api/hooks";
import { CorrectDialog } from "../edges/CorrectDialog";
import { RelateDialog } from "../edges/RelateDialog";
import { useEdgeHistory, type VersionRecord } from "../edges/useEdgeHistory";
import { useHolding } from "../edges/useHolding";
import { metricsOf } from "../edges/effects";
import { EntityLink } from "../entities/EntityLink";
import { VersionsTable } from "../entities/RelationsTab";
import { relationshipLabel } from "../entities/relationships";
import { isPast } from "../time/moment";
import { useMoment } from "../time/useMoment";
import { Empty, Failed, Loading, NowNote } from "../ui/States";
import { ConnectivityTag } from "../ui/Tags";
import { Age, Instant } from "../ui/Time";

const STATES = graphql(`
  query LinkedDeviceStates($ids: [ID!]!) {
    nodes(ids: $ids) {
      id
      ... on Device {
        connectivity
        lastSeenAt
      }
    }
  }
`);

const LINKS = ["MONITORED_BY", "CONTROLLED_BY"];

/**
 * The devices that monitor or control an entity at the moment shown, by port, and since when.
 *
 * Two requests: while the thumb of the time bar moves, the links are chosen from the versions at hand.
 */
export function DevicesTab({ entityId, kind }: { entityId: string; kind: string }) {
  const { moment } = useMoment();
  const history = useEdgeHistory(entityId, LINKS);
  const { holding } = useHolding(history.versions);
  const [corrected, setCorrected] = useState<VersionRecord | null>(null);
  const [isLinking, setLinking] = useState(false);
  const [areAllShown, setAllShown] = useState(false);
  const ids = [...new Set(history.versions.map((version) => version.edge.target.id))].sort().slice(0, 500);
  const states = useApi(STATES, { ids }, { enabled: ids.length > 0, staleMs: 10_000, keep: true, ...(isPast(moment) ? {} : { refetchMs: 15_000 }) });
  if (history.isLoading) return <Loading what="devices" />;
  const stateOf = (id: string) => {
    const node = states.data?.nodes.find((each) => each?.id === id);
    return node && "connectivity" in node ? node : null;
  };
  const rows = [...holding].sort((a, b) => (a.edge.port ?? -1) - (b.edge.port ?? -1) || (a.edgeId < b.edgeId ? -1 : 1));
  return (
    <section className="stack" aria-label="Devices">
      <Failed faults={[...history.faults, ...(states.error?.faults ?? []), ...states.faults]} retry={history.refetch} />
      <div className="bar">
        <span className="muted number" role="status">
          {rows.length.toLocaleString("en")} linked at the moment shown, {history.total.toLocaleString("en")} versions of links in all
        </span>
        <span className="spring" />
        <button type="button" className="button" aria-pressed={areAllShown} onClick={() => setAllShown(!areAllShown)}>
          All versions
        </button>
        <button type="button" className="button primary" disabled={isPast(moment)} onClick={() => setLinking(true)}>
          Link…
        </button>
      </div>
      {rows.length === 0 && !areAllShown && history.faults.length === 0 && (
        <Empty title="No device is linked at this moment">
          <p>{history.total === 0 ? "Link a device: from then on its points are those of this entity, too." : "There were some at other moments: move the time bar, or show all versions."}</p>
        </Empty>
      )}
      {rows.length > 0 && !areAllShown && (
        <div className="panel scroll" tabIndex={0} role="region" aria-label="Linked devices">
          <table>
            <thead>
              <tr>
                <th scope="col">Device</th>
                <th scope="col">How</th>
                <th scope="col" className="number">
                  Port
                </th>
                <th scope="col">Metrics</th>
                <th scope="col">Since</th>
                <th scope="col">
                  Connection <NowNote past={isPast(moment)} />
                </th>
                <th scope="col" className="number">
                  Last heard <NowNote past={isPast(moment)} />
                </th>
                <th scope="col">
                  <span className="visually-hidden">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map((version) => {
                const device = version.edge.target;
                const state = stateOf(device.id);
                return (
                  <tr key={version.id}>
                    <td>
                      <EntityLink entity={device} /> <span className="muted small">{device.type}</span>
                    </td>
                    <td>{relationshipLabel(version.edge.relationship, true)}</td>
                    <td className="number">{version.edge.port ?? <span className="muted">none</span>}</td>
                    <td>{metricsOf(version.edge.metadata)?.join(", ") ?? <span className="muted">all</span>}</td>
                    <td>
                      <Instant at={version.edge.validFrom} />
                    </td>
                    <td>{state && <ConnectivityTag connectivity={state.connectivity} />}</td>
                    <td className="number">{state && <Age at={state.lastSeenAt} />}</td>
                    <td>
                      <button type="button" className="button quiet" onClick={() => setCorrected(version)} aria-label={`Correct the link to ${device.name}`}>
                        Correct…
                      </button>
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
      {areAllShown && <VersionsTable versions={history.versions} entityId={entityId} onCorrect={setCorrected} />}
      {corrected && <CorrectDialog version={corrected} onClose={() => setCorrected(null)} />}
      {isLinking && <RelateDialog entityId={entityId} kind={kind} onClose={() => setLinking(false)} />}
    </section>
  );
}
