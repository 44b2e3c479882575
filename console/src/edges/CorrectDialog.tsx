import { useState } from "react";
import { graphql } from "../api/gen";
import { useChange } from "../api/hooks";
import { relationshipLabel } from "../entities/relationships";
import { Dialog } from "../ui/Dialog";
import { FieldFault, faultsElsewhere, InstantField, ReasonField, whenComplete } from "../ui/Fields";
import { Failed } from "../ui/States";
import { toast } from "../ui/Toasts";
import { Consequences } from "./Consequences";
import { effectsOf, type Interval } from "./effects";
import { intervalOf, linkOf } from "./links";
import { useCorrectTimes } from "./useCorrectTimes";
import type { VersionRecord } from "./useEdgeHistory";
import "./edges.css";

const RETRACT = graphql(`
  mutation RetractEdge($id: ID!, $reason: String) {
    correctEdge(id: $id, retract: true, reason: $reason) {
      edge {
        id
      }
      errors {
        code
        message
        path
      }
    }
  }
`);

/** Correct when an edge held, or that it never did: says what will follow, then asks why, then does it. */
export function CorrectDialog({ version, onClose }: { version: VersionRecord; onClose: () => void }) {
  const { edge } = version;
  const [isRetracted, setRetracted] = useState(false);
  const [range, setRange] = useState<Interval>(intervalOf(version));
  const [reason, setReason] = useState("");
  const correct = useCorrectTimes();
  const retract = useChange(RETRACT, (data) => data.correctEdge);
  const change = isRetracted ? retract : correct;
  const link = linkOf(version);
  const isSame = !isRetracted && range.from === version.validFrom && range.until === version.validUntil;
  const isEmpty = !isRetracted && range.until !== null && range.until <= range.from;
  const save = async () => {
    const why = reason.trim() === "" ? null : reason.trim();
    try {
      if (isRetracted) await retract.run({ id: edge.edgeId, reason: why });
      else await correct.run(edge.edgeId, range, why);
    } catch {
      return; // The refusal is shown at its field.
    }
    const what = `${edge.source.name} ${relationshipLabel(edge.relationship, true)} ${edge.target.name}`;
    // What never was cannot be corrected: it is linked again.
    if (isRetracted) toast(`${what}: retracted.`);
    else toast(`${what}: corrected.`, correct.undo(edge.edgeId, intervalOf(version)));
    onClose();
  };
  return (
    <Dialog title="Correct the past" shape="box" onClose={onClose}>
      <p>
        <b>{edge.source.name}</b> {relationshipLabel(edge.relationship, true)} <b>{edge.target.name}</b>
        {edge.port === null || edge.port === undefined ? "" : `, port ${edge.port}`}
      </p>
      <fieldset className="plain-set stack tight">
        <legend className="muted small">What was recorded wrongly?</legend>
        <label className="inline">
          <input type="radio" name="what" checked={!isRetracted} onChange={() => setRetracted(false)} /> It held at other times
        </label>
        <label className="inline">
          <input type="radio" name="what" checked={isRetracted} onChange={() => setRetracted(true)} /> It never was: retract it
        </label>
        <FieldFault faults={change.faults} name="retract" />
      </fieldset>
      {!isRetracted && (
        <div className="bar">
          <InstantField
            label="Valid from"
            name="validFrom"
            value={range.from}
            faults={change.faults}
            onChange={(from) => setRange({ ...range, from: from ?? version.validFrom })}
          />
          <InstantField
            label="Valid until"
            name="validUntil"
            emptyText="open"
            value={range.until}
            faults={change.faults}
            onChange={(until) => setRange({ ...range, until })}
          />
        </div>
      )}
      {isEmpty ? (
        <p className="field-fault" role="alert">
          It must end after it begins. If it never was, retract it.
        </p>
      ) : link === null ? (
        <section className="panel stack tight" aria-label="What will follow">
          <h3>What will follow</h3>
          <p>
            {isSame
              ? "Nothing: it holds at the same times as before."
              : "The graph is corrected over that time: health, rollups and the scope of rules that go by it are recomputed. What was believed until now stays visible under “What we saw then”."}
          </p>
        </section>
      ) : (
        <Consequences effects={effectsOf(link, intervalOf(version), isRetracted ? null : range)} />
      )}
      <ReasonField value={reason} onChange={setReason} />
      <Failed faults={faultsElsewhere(change.faults, ["validFrom", "validUntil", "retract"])} />
      <div className="bar">
        <button type="button" className="button primary" disabled={isSame || isEmpty || change.isRunning} onClick={whenComplete(() => void save())}>
          {isRetracted ? "Retract" : "Correct"}
        </button>
        <button type="button" className="button" onClick={onClose}>
          Cancel
        </button>
      </div>
    </Dialog>
  );
}
