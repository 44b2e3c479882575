import { useState } from "react";
import { graphql } from "../../api/gen";
import { useChange } from "../../api/hooks";
import { type Micros, now, textOf } from "../../time/instant";
import { Dialog } from "../../ui/Dialog";
import { faultsElsewhere, InstantField, whenComplete } from "../../ui/Fields";
import { type Choice, Picker } from "../../ui/Picker";
import { Failed } from "../../ui/States";
import { toast, undoBy } from "../../ui/Toasts";
import { type RuleChoice, RulePicker } from "../RulePicker";
import { useEnd } from "./useShelving";

const SHELVE = graphql(`
  mutation ShelveRule($to: DateTime!, $from: DateTime, $ruleId: ID, $entityId: ID, $note: String) {
    shelveEvents(to: $to, from: $from, ruleId: $ruleId, entityId: $entityId, note: $note) {
      shelf {
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

const EIGHT_HOURS_US: Micros = 28_800e6;
const MINUTE_US: Micros = 60e6;

/** Shelve a rule, an entity, or a rule at an entity. rule: the one it is about; null: it is chosen. */
export function ShelveDialog({ rule, onClose }: { rule: RuleChoice | null; onClose: () => void }) {
  const [chosen, setChosen] = useState<RuleChoice | null>(rule);
  const [entity, setEntity] = useState<Choice | null>(null);
  const [from, setFrom] = useState<Micros | null>(null);
  const [to, setTo] = useState<Micros | null>(() => Math.ceil((now() + EIGHT_HOURS_US) / MINUTE_US) * MINUTE_US);
  const [note, setNote] = useState("");
  const shelve = useChange(SHELVE, (data) => data.shelveEvents);
  const end = useEnd();
  const run = async () => {
    if (to === null) return;
    try {
      const { shelf } = await shelve.run({
        to: textOf(to),
        from: from === null ? null : textOf(from),
        ruleId: chosen?.id ?? null,
        entityId: entity?.id ?? null,
        note: note.trim() || null,
      });
      const name = `${chosen?.name ?? "Every rule"}${entity === null ? "" : ` at ${entity.name}`}`;
      toast(`${name}: shelved.`, shelf ? undoBy(() => end.run({ what: "shelf", id: shelf.id })) : undefined);
      onClose();
    } catch {
      // The refusal is shown at its field.
    }
  };
  return (
    <Dialog title={rule === null ? "Shelve" : `Shelve ${rule.name}`} shape="box" onClose={onClose}>
      <p>While it is shelved, an alarm that opens notifies nobody and creates no work. One still open at the end is acted on then.</p>
      {rule === null && <RulePicker label="Rule (optional: every rule)" value={chosen} onChoose={setChosen} />}
      <Picker label="At (optional: everywhere)" kinds={["DEVICE", "ASSET", "SPACE"]} value={entity} onChoose={setEntity} />
      <div className="bar">
        <InstantField label="From" name="from" emptyText="now" value={from} faults={shelve.faults} onChange={setFrom} />
        <InstantField label="To" name="to" value={to} faults={shelve.faults} onChange={setTo} />
      </div>
      <NoteField label="Why (optional)" value={note} onChange={setNote} />
      <Failed faults={faultsElsewhere(shelve.faults, ["from", "to"])} />
      <div className="bar">
        <button type="button" className="button primary" disabled={shelve.isRunning || to === null || (chosen === null && entity === null)} onClick={whenComplete(() => void run())}>
          Shelve
        </button>
      </div>
    </Dialog>
  );
}

export function NoteField({ label, value, onChange }: { label: string; value: string; onChange: (value: string) => void }) {
  return (
    <label>
      {label}
      <input type="text" maxLength={10_000} value={value} onChange={(event) => onChange(event.target.value)} />
    </label>
  );
}
