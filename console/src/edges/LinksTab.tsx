import { useState } from "react";
import { EntityLink } from "../entities/EntityLink";
import { VersionsTable } from "./RelationsTab";
import { relationshipLabel } from "../entities/relationships";
import { ActionButton, RefusalNote } from "../session/ActionButton";
import { isPast } from "../time/moment";
import { useMoment } from "../time/useMoment";
import { Empty, Failed, Loading } from "../ui/States";
import { Instant } from "../ui/Time";
import { toast } from "../ui/Toasts";
import { CorrectDialog } from "./CorrectDialog";
import { LinkDialog } from "./LinkDialog";
import { LinkTimeline } from "./LinkTimeline";
import { MoreVersions } from "./MoreVersions";
import { LINKS } from "./links";
import { ReplaceDialog } from "./ReplaceDialog";
import { UnlinkDialog } from "./UnlinkDialog";
import { useEdgeHistory, type VersionRecord } from "./useEdgeHistory";
import { believedNow, useHolding } from "./useHolding";
import "../entities/entities.css";
import "./edges.css";

type Open = { what: "link" } | { what: "replace" } | { what: "unlink" | "correct"; version: VersionRecord } | null;

const RELATIONSHIPS = [...LINKS];

/** The links of a device: those of the moment, all of them over time, and what corrects them. One request. */
export function LinksTab({ device }: { device: { id: string; name: string } }) {
  const { moment } = useMoment();
  const history = useEdgeHistory(device.id, RELATIONSHIPS);
  const { holding } = useHolding(history.versions);
  const [open, setOpen] = useState<Open>(null);
  const isReadOnly = isPast(moment);
  const close = () => setOpen(null);
  const correct = (version: VersionRecord) => {
    const believed = believedNow(history.versions, version);
    if (believed === null) toast("That link was retracted: there is nothing left to correct. Link it again where it was true.");
    else setOpen({ what: "correct", version: believed });
  };
  if (history.isLoading) return <Loading what="links" />;
  return (
    <div className="stack">
      <div className="bar">
        <span className="muted number" role="status">
          {holding.length} {holding.length === 1 ? "link holds" : "links hold"} at the moment shown
        </span>
        <span className="spring" />
        <ActionButton mutation="linkDevice" past={isReadOnly} onClick={() => setOpen({ what: "link" })}>
          Link…
        </ActionButton>
        <ActionButton mutation="replaceDevice" past={isReadOnly} onClick={() => setOpen({ what: "replace" })}>
          Replace device…
        </ActionButton>
        <RefusalNote mutation="linkDevice" what="Linking" />
      </div>
      <Failed faults={history.faults} retry={history.retry} />
      {history.total === 0 && history.faults.length === 0 && (
        <Empty title="Not linked yet">
          <p>Its readings are stored, but belong to no asset. Link it from any instant on: readings since then are attributed to the asset.</p>
          <ActionButton mutation="linkDevice" past={isReadOnly} className="button primary" onClick={() => setOpen({ what: "link" })}>
            Link…
          </ActionButton>
        </Empty>
      )}
      {history.total > 0 && (
        <>
          <div className="panel scroll" tabIndex={0} role="region" aria-label="Links at the moment shown">
            <table className="stacks">
              <thead>
                <tr>
                  <th scope="col">Linked to</th>
                  <th scope="col">Port</th>
                  <th scope="col">Valid from</th>
                  <th scope="col">Valid until</th>
                  <th scope="col">Metrics</th>
                  <th scope="col">
                    <span className="visually-hidden">Actions</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {holding.map((version) => (
                  <tr key={version.id}>
                    <td>
                      <span className="muted">{relationshipLabel(version.edge.relationship, false)}</span> <EntityLink entity={version.edge.source} />
                      {version.edge.exclusive && <span className="muted small"> alone</span>}
                    </td>
                    <td className="number" data-label="Port">{version.edge.port ?? ""}</td>
                    <td data-label="Valid from">
                      <Instant at={version.edge.validFrom} />
                    </td>
                    <td data-label="Valid until">{version.edge.validUntil ? <Instant at={version.edge.validUntil} /> : "open"}</td>
                    <td data-label="Metrics">
                      <Mapping metadata={version.edge.metadata} />
                    </td>
                    <td className="nowrap">
                      <ActionButton
                        mutation="endEdge"
                        past={isReadOnly}
                        className="button quiet"
                        onClick={() => setOpen({ what: "unlink", version })}
                        aria-label={`Unlink at… (${version.edge.source.name})`}
                      >
                        Unlink at…
                      </ActionButton>
                      <ActionButton mutation="correctEdge" className="button quiet" onClick={() => correct(version)} aria-label={`Correct… the link to ${version.edge.source.name}`}>
                        Correct…
                      </ActionButton>
                    </td>
                  </tr>
                ))}
                {holding.length === 0 && (
                  <tr>
                    <td colSpan={6} className="muted">
                      No link holds at this moment.
                    </td>
                  </tr>
                )}
              </tbody>
            </table>
          </div>
          <LinkTimeline versions={history.versions} entityId={device.id} onChoose={correct} />
          <VersionsTable versions={history.versions} entityId={device.id} onCorrect={correct} />
          {history.versions.length < history.total && (
            <div className="bar">
              <span className="muted number">
                The newest {history.versions.length.toLocaleString("en")} of {history.total.toLocaleString("en")} versions are shown.
              </span>
              <MoreVersions history={history} />
            </div>
          )}
        </>
      )}
      {open?.what === "link" && <LinkDialog device={device} onClose={close} />}
      {open?.what === "replace" && <ReplaceDialog device={device} versions={history.versions} onClose={close} />}
      {open?.what === "unlink" && <UnlinkDialog version={open.version} onClose={close} />}
      {open?.what === "correct" && <CorrectDialog version={open.version} onClose={close} />}
    </div>
  );
}

function Mapping({ metadata }: { metadata: unknown }) {
  const mapping = typeof metadata === "object" && metadata !== null && "metrics_mapping" in metadata ? metadata.metrics_mapping : null;
  if (typeof mapping !== "object" || mapping === null) return <span className="muted">all</span>;
  return (
    <>
      {Object.entries(mapping)
        .map(([from, to]) => (from === to ? from : `${from} as ${String(to)}`))
        .join(", ")}
    </>
  );
}
