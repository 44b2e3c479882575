import { useState } from "react";
import { graphql } from "../../api/gen";
import { useChange } from "../../api/hooks";
import { type Micros, now, textOf } from "../../time/instant";
import { Dialog } from "../../ui/Dialog";
import { faultsElsewhere, InstantField, whenComplete } from "../../ui/Fields";
import { type Choice, Picker } from "../../ui/Picker";
import { Failed } from "../../ui/States";
import { toast, undoBy } from "../../ui/Toasts";
import { NoteField } from "./ShelveDialog";
import { useEnd } from "./useShelving";

const CREATE = graphql(`
  mutation CreateMaintenanceWindow($to: DateTime!, $from: DateTime, $underId: ID, $note: String) {
    createMaintenanceWindow(to: $to, from: $from, underId: $underId, note: $note) {
      maintenanceWindow {
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

const HOUR_US: Micros = 3_600e6;

/** Plan a maintenance window: where, from when to when, and what is done. */
export function WindowDialog({ onClose }: { onClose: () => void }) {
  const next = () => Math.ceil(now() / HOUR_US) * HOUR_US;
  const [under, setUnder] = useState<Choice | null>(null);
  const [from, setFrom] = useState<Micros | null>(next);
  const [to, setTo] = useState<Micros | null>(() => next() + 4 * HOUR_US);
  const [note, setNote] = useState("");
  const create = useChange(CREATE, (data) => data.createMaintenanceWindow);
  const end = useEnd();
  const run = async () => {
    if (to === null) return;
    try {
      const { maintenanceWindow } = await create.run({
        to: textOf(to),
        from: from === null ? null : textOf(from),
        underId: under?.id ?? null,
        note: note.trim() || null,
      });
      toast("The maintenance window was created.", maintenanceWindow ? undoBy(() => end.run({ what: "window", id: maintenanceWindow.id })) : undefined);
      onClose();
    } catch {
      // The refusal is shown at its field.
    }
  };
  return (
    <Dialog title="New maintenance window" shape="box" onClose={onClose}>
      <Picker label="At and below (optional: everywhere)" kinds={["SPACE", "ASSET", "DEVICE"]} value={under} onChoose={setUnder} />
      <div className="bar">
        <InstantField label="From" name="from" emptyText="now" value={from} faults={create.faults} onChange={setFrom} />
        <InstantField label="To" name="to" value={to} faults={create.faults} onChange={setTo} />
      </div>
      <NoteField label="What is done (optional)" value={note} onChange={setNote} />
      {under === null && <p className="notice">It would be everywhere: no alarm of the whole organization notifies anybody meanwhile.</p>}
      <Failed faults={faultsElsewhere(create.faults, ["from", "to"])} />
      <div className="bar">
        <button type="button" className="button primary" disabled={create.isRunning || to === null} onClick={whenComplete(() => void run())}>
          Create the window
        </button>
      </div>
    </Dialog>
  );
}
