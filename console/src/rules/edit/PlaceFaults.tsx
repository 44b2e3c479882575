import type { Fault } from "../../api/request";

/** What was refused at a place of the form, below it. */
export function PlaceFaults({ faults, id }: { faults: readonly Fault[]; id?: string }) {
  if (faults.length === 0) return null;
  return (
    <span className="field-fault" id={id} role="alert">
      {faults.map((fault) => (
        <span key={fault.message}>
          {/* What is only missing was refused by nobody. */}
          {fault.code !== "MISSING" && <code>{fault.code}</code>} {fault.message}{" "}
        </span>
      ))}
    </span>
  );
}
