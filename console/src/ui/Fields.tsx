import { type MouseEvent, useId, useState } from "react";
import type { Fault } from "../api/request";
import type { Micros } from "../time/instant";
import { fromWallClock, toWallClock, useZone } from "../time/zone";

/** Return the refusals whose path names a field, or the last of several names for it. */
function faultsAt(faults: readonly Fault[], name: string): Fault[] {
  return faults.filter((fault) => fault.path.includes(name));
}

/** Return the refusals that name none of these fields: they are shown beside the button. */
export function faultsElsewhere(faults: readonly Fault[], names: readonly string[]): Fault[] {
  return faults.filter((fault) => !names.some((name) => fault.path.includes(name)));
}

/** What was refused at a field, below it; with `id` for the field's aria-describedby. */
export function FieldFault({ faults, name, id }: { faults: readonly Fault[]; name: string; id?: string }) {
  const here = faultsAt(faults, name);
  if (here.length === 0) return null;
  return (
    <span className="field-fault" id={id} role="alert">
      {here.map((fault) => (
        <span key={fault.message}>
          <code>{fault.code}</code> {fault.message}{" "}
        </span>
      ))}
    </span>
  );
}

/** A field for an instant, as a wall clock of the chosen zone; null where it is empty. */
export function InstantField({
  label,
  value,
  onChange,
  faults = [],
  name,
  emptyText,
}: {
  label: string;
  value: Micros | null;
  onChange: (value: Micros | null) => void;
  faults?: readonly Fault[];
  name: string;
  /** What an empty field means, e.g. "now" or "open". */
  emptyText?: string;
}) {
  const zone = useZone();
  const id = useId();
  // A wall clock has whole seconds: the instant behind it stays exact until the text is changed.
  const [original] = useState(value);
  const [text, setText] = useState(value === null ? "" : toWallClock(value, zone));
  // A date of which a part is missing has no text: it is not the same as an empty field.
  const [isIncomplete, setIncomplete] = useState(false);
  const isRefused = isIncomplete || faultsAt(faults, name).length > 0;
  return (
    <label htmlFor={id}>
      <span>
        {label} <span className="small">({zone}{emptyText ? `; empty: ${emptyText}` : ""})</span>
      </span>
      <input
        id={id}
        type="datetime-local"
        step={1}
        value={text}
        aria-invalid={isRefused || undefined}
        onBlur={(event) => setIncomplete(event.target.validity.badInput)}
        aria-describedby={isRefused ? `${id}-fault` : undefined}
        onChange={(event) => {
          setText(event.target.value);
          setIncomplete(event.target.validity.badInput);
          if (event.target.value === "") onChange(null);
          else if (original !== null && event.target.value === toWallClock(original, zone)) onChange(original);
          else onChange(fromWallClock(event.target.value, zone));
        }}
      />
      {isIncomplete ? (
        <span className="field-fault" id={`${id}-fault`} role="alert">
          A part of the date or the time is missing.
        </span>
      ) : (
        <FieldFault faults={faults} name={name} id={`${id}-fault`} />
      )}
    </label>
  );
}

/** Return a handler of a click that goes on only where no field around the button holds what cannot be read. */
export function whenComplete(run: () => void): (event: MouseEvent<HTMLElement>) => void {
  return (event) => {
    const around = event.currentTarget.closest("dialog, form, section");
    const invalid = around?.querySelector<HTMLInputElement>("input:invalid");
    if (invalid) invalid.reportValidity();
    else run();
  };
}

/** Why it is done: kept in the audit trail, shown in the history. */
export function ReasonField({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  return (
    <label>
      Why (it is shown in the history)
      <input type="text" value={value} maxLength={1000} onChange={(event) => onChange(event.target.value)} placeholder="e.g. found on site: the cables were swapped" />
    </label>
  );
}
