import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useEffect, useState } from "react";
import type { EventFilter } from "../api/gen/graphql";
import { useApi } from "../api/hooks";
import { type Fault, RequestError } from "../api/request";
import { textOf } from "../time/instant";
import { fromWallClock, useZone } from "../time/zone";
import { Dialog } from "../ui/Dialog";
import { Failed } from "../ui/States";
import { toast } from "../ui/Toasts";
import { afterAction, comment, createWork, dismiss, acknowledge, markAll, type Outcome, type ShelfScope, shelve } from "./actions";
import type { Alarm } from "./alarm";
import { WORK_TEMPLATES } from "./marks";

export type ActionKind = "acknowledge" | "dismiss" | "shelve" | "comment" | "work";
/** What is to be done, and to what: to these alarms, or to all of a filter. */
export type Action = { kind: ActionKind; alarms: readonly Alarm[] } | { kind: "acknowledge" | "dismiss"; filter: EventFilter };

const TITLES: Record<ActionKind, string> = {
  acknowledge: "Acknowledge",
  dismiss: "Dismiss",
  shelve: "Shelve",
  comment: "Comment on",
  work: "Create a work order for",
};
export const DONE: Record<ActionKind, string> = {
  acknowledge: "acknowledged",
  dismiss: "dismissed",
  shelve: "shelved",
  comment: "commented",
  work: "given a work order",
};
const LENGTHS: readonly [string, number][] = [
  ["1 hour", 3_600_000],
  ["8 hours", 28_800_000],
  ["1 day", 86_400_000],
  ["7 days", 604_800_000],
  ["30 days", 2_592_000_000],
];

export function alarmsText(count: number): string {
  return count === 1 ? "1 alarm" : `${count.toLocaleString("en")} alarms`;
}

/** Asks what an action on alarms needs, and does it. What is refused is said for each alarm; what was typed stays. */
export function ActionDialog({ action, onClose, onDone }: { action: Action; onClose: () => void; onDone: () => void }) {
  const client = useQueryClient();
  const [faults, setFaults] = useState<Fault[]>([]);
  const [isBusy, setBusy] = useState(false);
  const count = "alarms" in action ? action.alarms.length : null;
  const title = "alarms" in action ? `${TITLES[action.kind]} ${alarmsText(action.alarms.length)}` : `${TITLES[action.kind]} all of this filter`;

  const run = async (work: () => Promise<Outcome | string>) => {
    setBusy(true);
    setFaults([]);
    try {
      const outcome = await work();
      afterAction(client);
      if (typeof outcome !== "string" && outcome.refused.length > 0) {
        setFaults(outcome.refused);
        toast(`${alarmsText(outcome.done)} ${DONE[action.kind]}, ${outcome.refused.length} refused.`);
        return;
      }
      toast(typeof outcome === "string" ? outcome : `${alarmsText(outcome.done)} ${DONE[action.kind]}.`);
      onDone();
    } catch (error) {
      setFaults(error instanceof RequestError ? error.faults : [{ code: "INTERNAL", message: String(error), path: [] }]);
    } finally {
      setBusy(false);
    }
  };

  return (
    <Dialog title={title} shape="box" onClose={onClose}>
      {count !== null && "alarms" in action && action.kind !== "work" && <Names alarms={action.alarms} />}
      {"filter" in action && <AllForm action={action} isBusy={isBusy} run={run} />}
      {"alarms" in action && action.kind === "shelve" && <ShelveForm alarms={action.alarms} isBusy={isBusy} run={run} />}
      {"alarms" in action && action.kind === "work" && <WorkForm alarms={action.alarms} isBusy={isBusy} run={run} />}
      {"alarms" in action && (action.kind === "acknowledge" || action.kind === "dismiss" || action.kind === "comment") && (
        <NoteForm kind={action.kind} alarms={action.alarms} isBusy={isBusy} run={run} />
      )}
      <Failed faults={faults} />
    </Dialog>
  );
}

type FormProps = { alarms: readonly Alarm[]; isBusy: boolean; run: (work: () => Promise<Outcome | string>) => Promise<void> };

function Names({ alarms }: { alarms: readonly Alarm[] }) {
  return (
    <ul className="plain small muted">
      {alarms.slice(0, 4).map((alarm) => (
        <li key={alarm.id}>
          {alarm.rule?.name ?? "Alarm"} at {alarm.entity.name}
        </li>
      ))}
      {alarms.length > 4 && <li>and {alarms.length - 4} more</li>}
    </ul>
  );
}

function Form({ label, isBusy, canSubmit = true, onSubmit, children }: { label: string; isBusy: boolean; canSubmit?: boolean; onSubmit: () => void; children: ReactNode }) {
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!isBusy && canSubmit) onSubmit();
  };
  return (
    <form className="stack" onSubmit={submit}>
      {children}
      <div className="bar">
        <button type="submit" className="button primary" disabled={isBusy || !canSubmit}>
          {isBusy ? "Working …" : label}
        </button>
      </div>
    </form>
  );
}

function Note({ value, onChange, label, }: { value: string; onChange: (value: string) => void; label: string }) {
  return (
    <label>
      {label}
      <textarea rows={3} value={value} onChange={(event) => onChange(event.target.value)} style={{ fontFamily: "inherit" }} />
    </label>
  );
}

function noteOf(text: string): string | null {
  return text.trim() === "" ? null : text.trim();
}

function NoteForm({ kind, alarms, isBusy, run }: FormProps & { kind: "acknowledge" | "dismiss" | "comment" }) {
  const [note, setNote] = useState("");
  const submit = () =>
    void run(() => {
      if (kind === "acknowledge") return acknowledge(alarms, noteOf(note));
      return kind === "dismiss" ? dismiss(alarms, noteOf(note)) : comment(alarms, note.trim());
    });
  return (
    <Form label={kind === "comment" ? "Add the comment" : TITLES[kind]} isBusy={isBusy} canSubmit={kind !== "comment" || note.trim() !== ""} onSubmit={submit}>
      {kind === "dismiss" && <p>Dismissing says that nothing has to be done. The alarm leaves the list although its condition may still hold.</p>}
      <Note label={kind === "comment" ? "Comment" : "Note (optional)"} value={note} onChange={setNote} />
    </Form>
  );
}

function AllForm({ action, isBusy, run }: { action: Extract<Action, { filter: EventFilter }>; isBusy: boolean; run: FormProps["run"] }) {
  const [note, setNote] = useState("");
  const [count, setCount] = useState<{ matched: number; changed: number } | null>(null);
  const [faults, setFaults] = useState<Fault[]>([]);
  const { kind, filter } = action;
  const key = JSON.stringify(filter);
  useEffect(() => {
    let isCurrent = true;
    markAll(kind, JSON.parse(key) as EventFilter, null, true)
      .then((payload) => isCurrent && setCount(payload))
      .catch((error: unknown) => isCurrent && setFaults(error instanceof RequestError ? error.faults : []));
    return () => {
      isCurrent = false;
    };
  }, [kind, key]);
  const submit = () =>
    void run(async () => {
      const { changed } = await markAll(kind, filter, noteOf(note), false);
      return `${alarmsText(changed)} ${DONE[kind]}.`;
    });
  return (
    <Form label={count === null ? TITLES[kind] : `${TITLES[kind]} ${alarmsText(count.changed)}`} isBusy={isBusy} canSubmit={count !== null && count.changed > 0} onSubmit={submit}>
      <p role="status">
        {count === null && faults.length === 0 && "Counting …"}
        {count !== null && (
          <>
            The filter matches <b className="number">{alarmsText(count.matched)}</b>, also those that are not loaded here
            {count.matched > count.changed && `; ${count.matched - count.changed} of them are ${DONE[kind]} already`}. It is one change.
          </>
        )}
      </p>
      <Failed faults={faults} />
      <Note label="Note (optional)" value={note} onChange={setNote} />
    </Form>
  );
}

function ShelveForm({ alarms, isBusy, run }: FormProps) {
  const [scope, setScope] = useState<ShelfScope>("both");
  const [lengthMs, setLengthMs] = useState(28_800_000);
  const [note, setNote] = useState("");
  return (
    <Form label="Shelve" isBusy={isBusy} onSubmit={() => void run(() => shelve(alarms, scope, lengthMs, noteOf(note)))}>
      <p>While it is shelved, an alarm that opens notifies nobody and creates no work. One still open at the end is acted on then.</p>
      <div className="bar">
        <label>
          What
          <select value={scope} onChange={(event) => setScope(event.target.value as ShelfScope)}>
            <option value="both">This rule at this entity</option>
            <option value="rule">This rule everywhere</option>
            <option value="entity">Every rule at this entity</option>
          </select>
        </label>
        <label>
          For
          <select value={lengthMs} onChange={(event) => setLengthMs(Number(event.target.value))}>
            {LENGTHS.map(([label, ms]) => (
              <option key={ms} value={ms}>
                {label}
              </option>
            ))}
          </select>
        </label>
      </div>
      <Note label="Why (optional)" value={note} onChange={setNote} />
    </Form>
  );
}

function WorkForm({ alarms, isBusy, run }: FormProps) {
  const zone = useZone();
  const first = alarms[0];
  const templates = useApi(WORK_TEMPLATES, {}, { staleMs: 60_000 });
  const usable = (templates.data?.activityTemplates.nodes ?? []).filter((template) => !template.deletedAt);
  const [templateId, setTemplateId] = useState("");
  const [name, setName] = useState(first === undefined ? "" : `${first.rule?.name ?? "Alarm"}: ${first.entity.name}`);
  const [priority, setPriority] = useState(alarms.some((alarm) => alarm.severity === "CRITICAL" || alarm.severity === "HIGH") ? "high" : "medium");
  const [due, setDue] = useState("");
  const [description, setDescription] = useState("");
  const targets = new Map(alarms.map((alarm) => [alarm.entity.id, alarm.entity.name]));
  const submit = () =>
    void run(async () => {
      const dueAt = due === "" ? null : textOf(fromWallClock(due, zone));
      const created = await createWork(alarms, templateId === "" ? { name: name.trim(), priority, dueAt, description: description.trim() } : { templateId });
      return `Work order "${created.name}" was created.`;
    });
  return (
    <Form label="Create the work order" isBusy={isBusy} canSubmit={templateId !== "" || name.trim() !== ""} onSubmit={submit}>
      <p>
        It is about <b>{[...targets.values()].slice(0, 3).join(", ")}</b>
        {targets.size > 3 && ` and ${targets.size - 3} more`}.
      </p>
      <label>
        Template
        <select value={templateId} onChange={(event) => setTemplateId(event.target.value)}>
          <option value="">None: describe it here</option>
          {usable.map((template) => (
            <option key={template.id} value={template.id}>
              {template.name}
            </option>
          ))}
        </select>
      </label>
      {templateId === "" && (
        <>
          <label>
            Name
            <input type="text" required maxLength={500} value={name} onChange={(event) => setName(event.target.value)} />
          </label>
          <div className="bar">
            <label>
              Priority
              <select value={priority} onChange={(event) => setPriority(event.target.value)}>
                {["low", "medium", "high", "critical"].map((each) => (
                  <option key={each}>{each}</option>
                ))}
              </select>
            </label>
            <label>
              Due (optional, {zone})
              <input type="datetime-local" value={due} onChange={(event) => setDue(event.target.value)} />
            </label>
          </div>
          <Note label="What is to be done (optional)" value={description} onChange={setDescription} />
        </>
      )}
    </Form>
  );
}
