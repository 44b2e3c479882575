import { useId } from "react";
import type { Fault } from "../../api/request";
import { type DurationDraft, UNITS } from "./durationDraft";
import { PlaceFaults } from "./PlaceFaults";

type Props = { label: string; value: DurationDraft; onChange: (value: DurationDraft) => void; faults: readonly Fault[]; placeholder?: string };

/** A length of time: a number, and its unit. */
export function DurationField({ label, value, onChange, faults, placeholder = "0" }: Props) {
  const id = useId();
  return (
    <div className="stack tight">
      <label htmlFor={id}>
        {label}
        <span className="duration">
          <input
            id={id}
            type="number"
            min={0}
            step="any"
            placeholder={placeholder}
            value={value.count}
            aria-invalid={faults.length > 0 || undefined}
            aria-describedby={faults.length > 0 ? `${id}-fault` : undefined}
            onChange={(event) => onChange({ ...value, count: event.target.value })}
          />
          <select aria-label={`${label}, unit`} value={value.unit} onChange={(event) => onChange({ ...value, unit: event.target.value as DurationDraft["unit"] })}>
            {UNITS.map(([unit, name]) => (
              <option key={unit} value={unit}>
                {name}
              </option>
            ))}
          </select>
        </span>
      </label>
      <PlaceFaults faults={faults} id={`${id}-fault`} />
    </div>
  );
}
