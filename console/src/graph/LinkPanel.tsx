import { useState } from "react";
import { CorrectDialog } from "../edges/CorrectDialog";
import { UnlinkDialog } from "../edges/UnlinkDialog";
import type { VersionRecord } from "../edges/useEdgeHistory";
import { EntityLink } from "../entities/EntityLink";
import { relationshipLabel } from "../entities/relationships";
import { ActionButton } from "../session/ActionButton";
import type { Micros } from "../time/instant";
import { isPast } from "../time/moment";
import { useMoment } from "../time/useMoment";
import { LinkPicture } from "./LinkPicture";

type Props = {
  /** Every version of one edge. */
  versions: readonly VersionRecord[];
  asOf: Micros;
  knownAt: Micros | null;
  onClose: () => void;
};

/** One link over both times, and what can be done about it: end it, correct when it held, or retract it. */
export function LinkPanel({ versions, asOf, knownAt, onClose }: Props) {
  const { moment } = useMoment();
  const [open, setOpen] = useState<"correct" | "end" | null>(null);
  const believed = versions.find((version) => version.retractedAt === null) ?? null;
  const edge = (believed ?? versions[0])?.edge;
  if (edge === undefined) return null;
  return (
    <section className="panel stack tight" aria-label="The link">
      <header>
        <h2>Link</h2>
        <span className="spring" />
        <button type="button" className="button quiet" onClick={onClose}>
          Close
        </button>
      </header>
      <p>
        <EntityLink entity={edge.source} /> {relationshipLabel(edge.relationship, true)} <EntityLink entity={edge.target} />
        {edge.port === null || edge.port === undefined ? "" : `, port ${edge.port}`}
      </p>
      <LinkPicture versions={versions} asOf={asOf} knownAt={knownAt} />
      {believed === null ? (
        <p className="muted">It was retracted: there is nothing left to correct.</p>
      ) : (
        <div className="bar">
          {believed.validUntil === null && (
            <ActionButton mutation="endEdge" past={isPast(moment)} onClick={() => setOpen("end")}>
              End…
            </ActionButton>
          )}
          <ActionButton mutation="correctEdge" onClick={() => setOpen("correct")}>
            Correct or retract…
          </ActionButton>
        </div>
      )}
      {open === "correct" && believed && <CorrectDialog version={believed} onClose={() => setOpen(null)} />}
      {open === "end" && believed && <UnlinkDialog version={believed} onClose={() => setOpen(null)} />}
    </section>
  );
}
