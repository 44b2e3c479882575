import { type FormEvent, useMemo, useRef, useState } from "react";
import type { RuleInput } from "../../api/gen/graphql";
import type { Fault } from "../../api/request";
import { useAllowed } from "../../session/ActionButton";
import { type Micros, now, textOf } from "../../time/instant";
import { isPast } from "../../time/moment";
import { useMoment } from "../../time/useMoment";
import { InstantField, ReasonField } from "../../ui/Fields";
import { LeaveDialog } from "../../ui/LeaveDialog";
import type { Choice } from "../../ui/Picker";
import { Failed } from "../../ui/States";
import { whenText } from "../content";
import { ConditionEditor } from "./ConditionEditor";
import { PARTS_MAX, partsOf } from "./conditionTree";
import { inputOf, type RuleDraft, testable } from "./draft";
import { faultsAt, faultsOutside } from "./faultPaths";
import { OutcomeEditor } from "./OutcomeEditor";
import { PlaceFaults } from "./PlaceFaults";
import { Preview, RANGES } from "./Preview";
import { ScopeEditor } from "./ScopeEditor";
import { usePreview } from "./usePreview";
import { useScopeMetrics } from "./useScopeMetrics";
import "../../entities/entities.css";
import "../rules.css";

type Props = {
  start: RuleDraft;
  /** The entity that the scope names. */
  scoped: Choice | null;
  /** What is in force now, as the API takes it; null: the rule is new. */
  inForce: RuleInput | null;
  submit: string;
  isBusy: boolean;
  faults: readonly Fault[];
  onSave: (input: RuleInput, reason: string | null) => Promise<void>;
};

const MEMBERS = ["name", "condition", "scope", "severity", "escalation", "action", "damping", "effectiveFrom"];
const MINUTE_US: Micros = 60e6;
const WEEK_US = RANGES[1]?.[1] ?? 0;

/** A rule in fields that read as a sentence, with a preview of what it would have found. What was typed stays through a refusal. */
export function RuleForm({ start, scoped, inForce, submit, isBusy, faults, onSave }: Props) {
  const { moment } = useMoment();
  const past = isPast(moment);
  // As it was when the form was opened: what others write meanwhile does not change what is typed.
  const [first] = useState(start);
  const [draft, setDraft] = useState(first);
  const [chosen, setChosen] = useState(scoped);
  const [effectiveFrom, setEffectiveFrom] = useState<Micros | null>(null);
  const [reason, setReason] = useState("");
  const [isTried, setTried] = useState(false);
  const [isSaved, setSaved] = useState(false);
  const [lengthUs, setLengthUs] = useState<Micros>(WEEK_US);
  const form = useRef<HTMLFormElement>(null);
  const end = useMemo(() => Math.ceil(now() / MINUTE_US) * MINUTE_US, [lengthUs]);
  const range = { from: end - lengthUs, to: end };
  const { count, metrics, faults: scopeFaults } = useScopeMetrics(draft.scope);
  const set = (part: Partial<RuleDraft>) => setDraft((before) => ({ ...before, ...part }));
  const read = inputOf(draft);
  const input = testable(draft);
  const preview = usePreview(input, range.from, range.to);
  const canPreview = useAllowed(CAN_TEST).length > 0;
  // What is only missing is said once somebody tried to save.
  const shown: Fault[] = [...faults, ...preview.faults.filter((fault) => !faults.some((other) => other.message === fault.message)), ...(isTried ? read.missing : [])];
  const isTyped = !isSaved && (draft !== first || reason !== "" || effectiveFrom !== null);

  const save = async (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (read.input === null) {
      // After the fields know that they are invalid.
      setTimeout(() => form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus());
      return;
    }
    const unreadable = form.current?.querySelector<HTMLInputElement>("input:invalid");
    if (unreadable) {
      unreadable.reportValidity();
      return;
    }
    setSaved(true);
    try {
      await onSave({ ...read.input, ...(effectiveFrom === null ? {} : { effectiveFrom: textOf(effectiveFrom) }) }, reason.trim() || null);
    } catch {
      setSaved(false); // The refusal is shown at its field.
    }
  };
  return (
    <form ref={form} className="builder" noValidate onSubmit={(event) => void save(event)}>
      <div className="stack">
        <section className="panel stack tight">
          <label>
            Name
            <input type="text" maxLength={200} value={draft.name} aria-invalid={faultsAt(shown, ["name"]).length > 0 || undefined} onChange={(event) => set({ name: event.target.value })} />
          </label>
          <PlaceFaults faults={faultsAt(shown, ["name"])} />
        </section>
        <section className="panel stack tight" aria-label="Condition">
          <h2>When</h2>
          <ConditionEditor
            condition={draft.condition}
            onChange={(condition) => set({ condition })}
            place={["condition"]}
            depth={1}
            canGrow={partsOf(draft.condition) < PARTS_MAX}
            number=""
            onRemove={null}
            parent={null}
            metrics={metrics}
            faults={shown}
          />
          {input !== null && <p className="rule-when">{whenText(input.condition)}.</p>}
        </section>
        <section className="panel stack tight" aria-label="Scope">
          <h2>On</h2>
          <ScopeEditor scope={draft.scope} onChange={(scope) => set({ scope })} chosen={chosen} onChosen={setChosen} count={count} faults={shown} />
          <Failed faults={scopeFaults} />
        </section>
        <section className="panel stack tight" aria-label="Outcome">
          <h2>Then</h2>
          <OutcomeEditor draft={draft} onChange={set} faults={shown} />
        </section>
        <section className="panel stack tight" aria-label="From when">
          <h2>From</h2>
          <InstantField label="In force from" name="effectiveFrom" emptyText="now" value={effectiveFrom} faults={faults} onChange={setEffectiveFrom} />
          {effectiveFrom !== null && effectiveFrom < end - MINUTE_US && (
            <p className="notice">That is in the past: the alarms since then are computed again. Those that the rule would not have opened are withdrawn, and what was known before stays visible.</p>
          )}
          <label className="inline">
            <input type="checkbox" checked={draft.isActive} onChange={(event) => set({ isActive: event.target.checked })} /> Enabled
          </label>
          <ReasonField value={reason} onChange={setReason} />
        </section>
      </div>
      <div className="stack builder-preview">
        {canPreview && <Preview preview={preview} inForce={inForce} range={range} lengthUs={lengthUs} onLength={setLengthUs} />}
        <Failed faults={faultsOutside(faults, MEMBERS)} />
        <div className="bar">
          <button type="submit" className="button primary" disabled={isBusy || past} title={past ? "The past is read-only: go live to do this." : undefined}>
            {isBusy ? "Saving …" : submit}
          </button>
          {isTried && read.missing.length > 0 && <span className="field-fault">{read.missing.length === 1 ? "Something is missing above." : `${read.missing.length} things are missing above.`}</span>}
        </div>
      </div>
      <LeaveDialog isTyped={isTyped} />
    </form>
  );
}

const CAN_TEST = ["testRule"] as const;
