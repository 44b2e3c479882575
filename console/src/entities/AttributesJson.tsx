import type { Fault } from "../api/request";
import { FieldFault } from "../ui/Fields";
import { roundedFault, roundedInteger } from "./attributeFields";
import { isObject } from "./compare";

/** The attributes of an entity as their text in JSON, beside their fields. */
export function AttributesJson({
  text,
  fault,
  faults,
  onText,
}: {
  text: string;
  /** Why the text cannot be read; null: it can. */
  fault: string | null;
  faults: readonly Fault[];
  onText: (text: string) => void;
}) {
  return (
    <section className="panel">
      <h2>As JSON</h2>
      <label style={{ width: "100%" }}>
        <span className="visually-hidden">Attributes as JSON</span>
        <textarea
          rows={Math.min(24, Math.max(8, text.split("\n").length + 1))}
          spellCheck={false}
          value={text}
          aria-invalid={fault !== null || undefined}
          onChange={(event) => onText(event.target.value)}
        />
        {fault && (
          <span className="field-fault" role="alert">
            {fault}
          </span>
        )}
        <FieldFault faults={faults} name="attributes" />
      </label>
    </section>
  );
}

/** Return why a text is no object of JSON; null: it is one. */
export function faultOfText(text: string): string | null {
  try {
    if (!isObject(JSON.parse(text))) return "Attributes are a JSON object: { … }.";
    const rounded = roundedInteger(text);
    return rounded === null ? null : roundedFault(rounded);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
