import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { CorrectDialog } from "./CorrectDialog";
import { MoreVersions } from "./MoreVersions";
import { RelateDialog } from "./RelateDialog";
import { otherEnd, useEdgeHistory, type VersionRecord } from "./useEdgeHistory";
import { believedNow, useHolding } from "./useHolding";
import { ActionButton } from "../session/ActionButton";
import { isPast } from "../time/moment";
import { useMoment } from "../time/useMoment";
import { Empty, Failed, Loading } from "../ui/States";
import { Instant } from "../ui/Time";
import { EntityLink } from "../entities/EntityLink";
import { relationshipLabel } from "../entities/relationships";
import "../entities/entities.css";

/**
 * The edges at an entity at the moment shown, by relationship, and every version there ever was of them.
 *
 * One request: while the thumb of the time bar moves, the edges are chosen from the versions at hand.
 */
export function RelationsTab({ entityId, kind }: { entityId: string; kind?: string }) {
  const { moment } = useMoment();
  const history = useEdgeHistory(entityId, null);
  const [areAllShown, setAllShown] = useState(false);
  const [corrected, setCorrected] = useState<VersionRecord | null>(null);
  const [isRelating, setRelating] = useState(false);
  const { holding } = useHolding(history.versions);
  if (history.isLoading) return <Loading what="relations" />;
  const groups = new Map<string, VersionRecord[]>();
  for (const version of holding) {
    const label = relationshipLabel(version.edge.relationship, version.edge.source.id === entityId);
    groups.set(label, [...(groups.get(label) ?? []), version]);
  }
  return (
    <section className="stack" aria-label="Relations">
      <Failed faults={history.faults} retry={history.retry} />
      <div className="bar">
        <span className="muted number" role="status">
          {holding.length.toLocaleString("en")} at the moment shown, {history.total.toLocaleString("en")} versions
          {history.versions.length < history.total ? `, the newest ${history.versions.length.toLocaleString("en")} loaded` : ""}
        </span>
        <MoreVersions history={history} />
        <span className="spring" />
        <Link to="/graph" search={{ entity: entityId }} className="button">
          Graph
        </Link>
        <button type="button" className="button" aria-pressed={areAllShown} onClick={() => setAllShown(!areAllShown)}>
          All versions
        </button>
        <ActionButton mutation="createEdge" past={isPast(moment)} onClick={() => setRelating(true)}>
          Add relation…
        </ActionButton>
      </div>
      {holding.length === 0 && !areAllShown && history.faults.length === 0 && (
        <Empty title="No relations at this moment">
          <p>
            {history.total === 0
              ? "Add what it is part of, where it is, or which device measures it."
              : "There are some at other moments: move the time bar, or show all versions."}
          </p>
        </Empty>
      )}
      {!areAllShown && (
        <div className="columns">
          {[...groups].map(([label, versions]) => (
            <section className="panel" key={label}>
              <header>
                <h2>{label}</h2>
                <span className="muted number">{versions.length}</span>
              </header>
              <ul className="plain stack tight">
                {versions.map((version) => (
                  <li key={version.id} className="relation">
                    <span>
                      <EntityLink entity={otherEnd(version.edge, entityId)} />{" "}
                      <span className="muted small">
                        {otherEnd(version.edge, entityId).type ?? otherEnd(version.edge, entityId).kind.toLowerCase()}
                        {version.edge.port !== null && version.edge.port !== undefined ? `, port ${version.edge.port}` : ""}
                        <br />
                        since <Instant at={version.edge.validFrom} />
                      </span>
                    </span>
                    <ActionButton
                      mutation="correctEdge"
                      className="button quiet"
                      onClick={() => setCorrected(believedNow(history.versions, version))}
                      disabled={believedNow(history.versions, version) === null}
                      {...(believedNow(history.versions, version) === null ? { title: "It was retracted: there is nothing left to correct." } : {})}
                      aria-label={`Correct the relation to ${otherEnd(version.edge, entityId).name}`}
                    >
                      Correct…
                    </ActionButton>
                  </li>
                ))}
              </ul>
            </section>
          ))}
        </div>
      )}
      {areAllShown && <VersionsTable versions={history.versions} entityId={entityId} onCorrect={setCorrected} />}
      {corrected && <CorrectDialog version={corrected} onClose={() => setCorrected(null)} />}
      {isRelating && <RelateDialog entityId={entityId} kind={kind} onClose={() => setRelating(false)} />}
    </section>
  );
}

/** Versions of edges: what is believed and what was superseded differ by a word and a line, not by colour alone. */
export function VersionsTable({
  versions,
  entityId,
  onCorrect,
}: {
  versions: readonly VersionRecord[];
  entityId: string;
  onCorrect: (version: VersionRecord) => void;
}) {
  return (
    <div className="panel scroll" tabIndex={0} role="region" aria-label="All versions">
      <table className="stacks">
        <thead>
          <tr>
            <th scope="col">Relation</th>
            <th scope="col">Port</th>
            <th scope="col">Valid from</th>
            <th scope="col">Valid until</th>
            <th scope="col">Recorded</th>
            <th scope="col">Believed</th>
            <th scope="col">
              <span className="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {versions.map((version) => (
            <tr key={version.id} className={version.retractedAt === null ? "" : "superseded"}>
              <td>
                {relationshipLabel(version.edge.relationship, version.edge.source.id === entityId)}{" "}
                <EntityLink entity={otherEnd(version.edge, entityId)} />
              </td>
              <td className="number" data-label="Port">{version.edge.port ?? ""}</td>
              <td data-label="Valid from">
                <Instant at={version.edge.validFrom} />
              </td>
              <td data-label="Valid until">{version.edge.validUntil ? <Instant at={version.edge.validUntil} /> : "open"}</td>
              <td data-label="Recorded">
                <Instant at={version.edge.recordedAt} />
              </td>
              <td className="sign nowrap" data-label="Believed">
                {version.edge.retractedAt ? (
                  <>
                    <span className="tag">superseded</span> <Instant at={version.edge.retractedAt} />
                  </>
                ) : (
                  <span className="tag good">✓ now</span>
                )}
              </td>
              <td>
                {version.retractedAt === null && (
                  <ActionButton
                    mutation="correctEdge"
                    className="button quiet"
                    onClick={() => onCorrect(version)}
                    aria-label={`Correct the relation to ${otherEnd(version.edge, entityId).name}`}
                  >
                    Correct…
                  </ActionButton>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
