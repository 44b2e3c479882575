import { useId, useState } from "react";
import { type AttributeField, readAttribute } from "./attributeFields";

/**
 * The field of one attribute, by its type. What cannot be read is said below it and by `onFault`, and is not handed on:
 * nothing may be saved meanwhile, or what was typed before it would be.
 */
export function AttributeInput({
  field,
  value,
  onChange,
  onFault,
}: {
  field: AttributeField;
  value: unknown;
  onChange: (value: unknown) => void;
  onFault: (fault: string | null) => void;
}) {
  const id = useId();
  const [text, setText] = useState(() => textOf(field, value));
  const [fault, setFault] = useState<string | null>(null);
  const change = (next: string) => {
    setText(next);
    const read = readAttribute(field, next);
    setFault(read.fault);
    onFault(read.fault);
    if (read.fault === null) onChange(read.value);
  };
  const described = { id, "aria-invalid": fault !== null || undefined, "aria-describedby": fault !== null || field.description !== null ? `${id}-note` : undefined };
  return (
    <label htmlFor={id} style={field.type === "json" ? { gridColumn: "1 / -1" } : undefined}>
      <span>
        {field.label}
        {field.isRequired && <span title="The type requires it"> *</span>}
        {!field.isDeclared && <span className="small"> (its own)</span>}
      </span>
      {field.type === "boolean" ? (
        <select {...described} value={value === true ? "yes" : value === false ? "no" : ""} onChange={(event) => onChange(event.target.value === "" ? undefined : event.target.value === "yes")}>
          <option value="">not set</option>
          <option value="yes">yes</option>
          <option value="no">no</option>
        </select>
      ) : field.type === "enum" ? (
        <select {...described} value={text} onChange={(event) => change(event.target.value)}>
          <option value="">not set</option>
          {field.options.map((option) => (
            <option key={option}>{option}</option>
          ))}
          {text !== "" && !field.options.includes(text) && <option>{text}</option>}
        </select>
      ) : field.type === "json" ? (
        <textarea {...described} rows={Math.min(8, text.split("\n").length + 1)} spellCheck={false} value={text} onChange={(event) => change(event.target.value)} />
      ) : (
        <input {...described} type="text" inputMode={field.type === "number" ? "decimal" : "text"} value={text} onChange={(event) => change(event.target.value)} />
      )}
      <span id={`${id}-note`} className={fault === null ? "small" : "field-fault"} role={fault === null ? undefined : "alert"}>
        {fault ?? field.description ?? ""}
      </span>
    </label>
  );
}

function textOf(field: AttributeField, value: unknown): string {
  if (value === undefined || value === null) return "";
  return field.type === "json" ? JSON.stringify(value, null, 2) : String(value);
}
