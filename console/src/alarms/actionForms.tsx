import { type FormEvent, type ReactNode, useEffect, useRef, useState } from "react";
import type { EventFilter } from "../api/gen/graphql";
import { useApi } from "../api/hooks";
import type { Fault } from "../api/request";
import { textOf } from "../time/instant";
import { fromWallClock, useZone } from "../time/zone";
import { useRefusal } from "../session/ActionButton";
import { Failed } from "../ui/States";
import { comment, createWork, type Mark, mark, markAll, type ShelfScope, shelve, workBegin } from "./actions";
import type { Alarm } from "./alarm";
import { WORK_TEMPLATES } from "./marks";
import { faultsOf, type Outcome } from "./outcome";
import { alarmsText, DONE, TITLES } from "./words";

const LENGTHS: readonly [string, number][] = [
  ["1 hour", 3_600_000],
  ["8 hours", 28_800_000],
  ["1 day", 86_400_000],
  ["7 days", 604_800_000],
  ["30 days", 2_592_000_000],
];
const PRIORITIES = ["low", "medium", "high", "critical"];

/** What a form does and shows. isAgain: a part was refused, and `alarms` are what is left. */
type FormProps = { alarms: readonly Alarm[]; isBusy: boolean; isAgain: boolean; run: (work: () => Promise<Outcome | string>) => Promise<void> };

type FrameProps = { label: string; isBusy: boolean; isAgain?: boolean; canSubmit?: boolean; onSubmit: () => void; children: ReactNode };

function Form({ label, isBusy, isAgain = false, canSubmit = true, onSubmit, children }: FrameProps) {
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!isBusy && canSubmit) onSubmit();
  };
  return (
    <form className="stack" onSubmit={submit}>
      {children}
      <div className="bar">
        <button type="submit" className="button primary" disabled={isBusy || !canSubmit}>
          {isBusy ? "Working …" : isAgain ? "Try the rest again" : label}
        </button>
      </div>
    </form>
  );
}

function Note({ value, onChange, label }: { value: string; onChange: (value: string) => void; label: string }) {
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

export function NoteForm({ kind, alarms, isBusy, isAgain, run }: FormProps & { kind: Mark | "comment" }) {
  const [note, setNote] = useState("");
  const submit = () => void run(() => (kind === "comment" ? comment(alarms, note.trim()) : mark(kind, alarms, noteOf(note))));
  return (
    <Form label={kind === "comment" ? "Add the comment" : TITLES[kind]} isBusy={isBusy} isAgain={isAgain} canSubmit={kind !== "comment" || note.trim() !== ""} onSubmit={submit}>
      {kind === "dismiss" && <p>Dismissing means that no action is needed. The alarm leaves the list although its condition may still hold.</p>}
      <Note label={kind === "comment" ? "Comment" : "Note (optional)"} value={note} onChange={setNote} />
    </Form>
  );
}

export function AllForm({ kind, filter, isBusy, run }: { kind: Mark; filter: EventFilter; isBusy: boolean; run: FormProps["run"] }) {
  const [note, setNote] = useState("");
  const [count, setCount] = useState<{ matched: number; changed: number } | null>(null);
  const [faults, setFaults] = useState<Fault[]>([]);
  const key = JSON.stringify(filter);
  useEffect(() => {
    let isCurrent = true;
    markAll(kind, JSON.parse(key) as EventFilter, null, true)
      .then((payload) => isCurrent && setCount(payload))
      .catch((error: unknown) => isCurrent && setFaults(faultsOf(error)));
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

export function ShelveForm({ alarms, isBusy, isAgain, run }: FormProps) {
  const [scope, setScope] = useState<ShelfScope>("both");
  const [lengthMs, setLengthMs] = useState(28_800_000);
  const [note, setNote] = useState("");
  return (
    <Form label="Shelve" isBusy={isBusy} isAgain={isAgain} onSubmit={() => void run(() => shelve(alarms, scope, lengthMs, noteOf(note)))}>
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

export function WorkForm({ alarms, isBusy, run }: FormProps) {
  const zone = useZone();
  const first = alarms[0];
  const templates = useApi(WORK_TEMPLATES, {}, { staleMs: 60_000 });
  const isFree = useRefusal("createActivity") === null;
  const usable = (templates.data?.activityTemplates.nodes ?? []).filter((template) => !template.deletedAt);
  const [templateId, setTemplateId] = useState("");
  const [name, setName] = useState(first === undefined ? "" : `${first.rule?.name ?? "Alarm"}: ${first.entity.name}`);
  const [priority, setPriority] = useState(alarms.some((alarm) => alarm.severity === "CRITICAL" || alarm.severity === "HIGH") ? "high" : "medium");
  const [due, setDue] = useState("");
  const [description, setDescription] = useState("");
  const begun = useRef(workBegin());
  const [isBegun, setBegun] = useState(false);
  const targets = new Map(alarms.map((alarm) => [alarm.entity.id, alarm.entity.name]));
  const submit = () =>
    void run(async () => {
      const dueAt = due === "" ? null : textOf(fromWallClock(due, zone));
      const work = templateId === "" ? { name: name.trim(), priority, dueAt, description: description.trim() } : { templateId };
      try {
        return `Work order "${await createWork(alarms, work, begun.current)}" was created.`;
      } finally {
        setBegun(begun.current.activity !== null);
      }
    });
  return (
    <Form label="Create the work order" isBusy={isBusy} isAgain={isBegun} canSubmit={templateId !== "" || (isFree && name.trim() !== "")} onSubmit={submit}>
      <p>
        It is about <b>{[...targets.values()].slice(0, 3).join(", ")}</b>
        {targets.size > 3 && ` and ${targets.size - 3} more`}.
      </p>
      <label>
        Template
        <select value={templateId} onChange={(event) => setTemplateId(event.target.value)}>
          <option value="">{isFree ? "None: describe it here" : "Choose one"}</option>
          {usable.map((template) => (
            <option key={template.id} value={template.id}>
              {template.name}
            </option>
          ))}
        </select>
      </label>
      {templateId === "" && isFree && (
        <>
          <label>
            Name
            <input type="text" required maxLength={500} value={name} onChange={(event) => setName(event.target.value)} />
          </label>
          <div className="bar">
            <label>
              Priority
              <select value={priority} onChange={(event) => setPriority(event.target.value)}>
                {PRIORITIES.map((name) => (
                  <option key={name}>{name}</option>
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
