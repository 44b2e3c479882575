import { useState } from "react";
import { graphql } from "../api/gen";
import { useChange } from "../api/hooks";
import { type Micros, now, textOf } from "../time/instant";
import { Dialog } from "../ui/Dialog";
import { faultsElsewhere, InstantField, ReasonField, whenComplete } from "../ui/Fields";
import { Failed } from "../ui/States";
import { toast } from "../ui/Toasts";
import { Consequences } from "./Consequences";
import { effectsOf } from "./effects";
import { intervalOf, linkOf } from "./links";
import { useCorrectTimes } from "./useCorrectTimes";
import type { VersionRecord } from "./useEdgeHistory";

const END = graphql(`
  mutation EndLink($id: ID!, $at: DateTime, $reason: String) {
    endEdge(id: $id, at: $at, reason: $reason) {
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

/** End a link at an instant: says which points are no longer attributed before it is done. */
export function UnlinkDialog({ version, onClose }: { version: VersionRecord; onClose: () => void }) {
  const { edge } = version;
  const [at, setAt] = useState<Micros | null>(null);
  const [opened] = useState(now);
  const [reason, setReason] = useState("");
  const correct = useCorrectTimes();
  const end = useChange(END, (data) => data.endEdge);
  const link = linkOf(version);
  const save = async () => {
    try {
      await end.run({ id: edge.edgeId, at: at === null ? null : textOf(at), reason: reason.trim() || null });
    } catch {
      return; // The refusal is shown at its field.
    }
    toast(`${edge.target.name} was unlinked from ${edge.source.name}.`, correct.undo(edge.edgeId, intervalOf(version)));
    onClose();
  };
  return (
    <Dialog title={`Unlink ${edge.source.name} and ${edge.target.name}`} shape="box" onClose={onClose}>
      <InstantField label="The link ended at" name="at" emptyText="now" value={at} onChange={setAt} faults={end.faults} />
      {link && <Consequences effects={effectsOf(link, intervalOf(version), { from: version.validFrom, until: at ?? opened })} />}
      <ReasonField value={reason} onChange={setReason} />
      <Failed faults={faultsElsewhere(end.faults, ["at"])} />
      <div className="bar">
        <button type="button" className="button primary" disabled={end.isRunning} onClick={whenComplete(() => void save())}>
          Unlink
        </button>
        <button type="button" className="button" onClick={onClose}>
          Cancel
        </button>
      </div>
    </Dialog>
  );
}
