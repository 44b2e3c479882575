import { useState } from "react";
import { graphql } from "../api/gen";
import { useApi } from "../api/hooks";
import { CorrectDialog } from "../edges/CorrectDialog";
import { metricsOf } from "../edges/effects";
import { LINKS } from "../edges/links";
import { MoreVersions } from "../edges/MoreVersions";
import { RelateDialog } from "../edges/RelateDialog";
import { useEdgeHistory, type VersionRecord } from "../edges/useEdgeHistory";
import { believedNow, useHolding } from "../edges/useHolding";
import { EntityLink } from "../entities/EntityLink";
import { VersionsTable } from "../edges/RelationsTab";
import { relationshipLabel } from "../entities/relationships";
import { ActionButton } from "../session/ActionButton";
import { isPast } from "../time/moment";
import { useMoment } from "../time/useMoment";
import { Empty, Failed, Loading, NowNote } from "../ui/States";
import { ConnectivityTag } from "../ui/Tags";
import { Age, Instant } from "../ui/Time";
import { toast } from "../ui/Toasts";

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

const RELATIONSHIPS = [...LINKS];

/**
 * The devices that monitor or control an asset or a space at the moment shown, of the thumb while it moves.
 *
 * Two requests: every version of the links, and how the devices of all of them are now.
 */
export function LinkedDevices({ entityId, kind }: { entityId: string; kind: "ASSET" | "SPACE" }) {
  const { moment } = useMoment();
  const history = useEdgeHistory(entityId, RELATIONSHIPS);
  const { holding } = useHolding(history.versions);
  const [areAllShown, setAllShown] = useState(false);
  const [corrected, setCorrected] = useState<VersionRecord | null>(null);
  const [isLinking, setLinking] = useState(false);
  const ids = [...new Set(history.versions.map((version) => version.edge.target.id))].sort().slice(0, 500);
  const states = useApi(STATES, { ids }, { enabled: ids.length > 0, keep: true, ...(isPast(moment) ? {} : { refetchMs: 15_000 }) });
  const stateOf = (id: string) => states.data?.nodes.find((node) => node?.id === id);
  // What is corrected is what is believed now, also where the page shows an earlier belief.
  const correct = (version: VersionRecord) => {
    const believed = believedNow(history.versions, version);
    if (believed === null) toast("That link was retracted: there is nothing left to correct. Link it again where it was true.");
    else setCorrected(believed);
  };
  if (history.isLoading) return <Loading what="devices" />;
  const link = (
    <ActionButton mutation="createEdge" past={isPast(moment)} onClick={() => setLinking(true)}>
      Link a device…
    </ActionButton>
  );
  return (
    <section className="stack tight" aria-label="IoT devices">
      <Failed faults={[...history.faults, ...(states.error?.faults ?? states.faults)]} retry={history.retry} />
      <div className="bar">
        <span className="muted number" role="status">
          {holding.length} at the moment shown, {history.total === 1 ? "1 version" : `${history.total.toLocaleString("en")} versions`} of links
          {history.versions.length < history.total ? `, the newest ${history.versions.length.toLocaleString("en")} loaded` : ""}
        </span>
        <MoreVersions history={history} />
        <span className="spring" />
        <button type="button" className="button" aria-pressed={areAllShown} onClick={() => setAllShown(!areAllShown)}>
          All versions
        </button>
        {holding.length > 0 && link}
      </div>
      {holding.length === 0 && !areAllShown && history.faults.length === 0 && (
        <Empty title="No device at this moment">
          <p>{history.total === 0 ? "Its values come from the devices that are linked to it." : "There were some at other moments: move the time bar, or show all versions."}</p>
          {!isPast(moment) && link}
        </Empty>
      )}
      {areAllShown && <VersionsTable versions={history.versions} entityId={entityId} onCorrect={correct} />}
      {!areAllShown && holding.length > 0 && (
        <div className="panel scroll" tabIndex={0} role="region" aria-label="Linked devices">
          <table className="stacks">
            <thead>
              <tr>
                <th scope="col">Device</th>
                <th scope="col">Relation</th>
                <th scope="col" className="number">
                  Port
                </th>
                <th scope="col">Metrics</th>
                <th scope="col">Since</th>
                <th scope="col">Until</th>
                <th scope="col">
                  Connection <NowNote past={isPast(moment)} />
                </th>
                <th scope="col">
                  <span className="visually-hidden">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {holding.map((version) => {
                const device = version.edge.target;
                const state = stateOf(device.id);
                return (
                  <tr key={version.id}>
                    <td>
                      <EntityLink entity={device} />
                      {device.type && <div className="muted small">{device.type}</div>}
                    </td>
                    <td>{relationshipLabel(version.edge.relationship, true)}</td>
                    <td className="number" data-label="Port">{version.edge.port ?? ""}</td>
                    <td data-label="Metrics">{metricsOf(version.edge.metadata)?.join(", ") ?? "all"}</td>
                    <td data-label="Since">
                      <Instant at={version.edge.validFrom} />
                    </td>
                    <td data-label="Until">{version.edge.validUntil ? <Instant at={version.edge.validUntil} /> : "open"}</td>
                    <td>
                      {state && "connectivity" in state && (
                        <>
                          <ConnectivityTag connectivity={state.connectivity} />{" "}
                          <span className="muted small">
                            <Age at={state.lastSeenAt} />
                          </span>
                        </>
                      )}
                    </td>
                    <td>
                      <ActionButton mutation="correctEdge" className="button quiet" onClick={() => correct(version)} aria-label={`Correct… the link to ${device.name}`}>
                        Correct…
                      </ActionButton>
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
      {corrected && <CorrectDialog version={corrected} onClose={() => setCorrected(null)} />}
      {isLinking && <RelateDialog entityId={entityId} kind={kind} onClose={() => setLinking(false)} />}
    </section>
  );
}
