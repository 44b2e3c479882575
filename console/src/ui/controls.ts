/** A control that has the focus: its tag in capitals, and of an input its type. */
export type Control = { tag: string; type: string };

// Inputs in which nothing is written.
const WRITTEN_NOT = new Set(["checkbox", "radio", "range", "button", "submit", "reset", "file", "color", "image"]);
const ARROWS = ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"];
const TO_ENDS = ["Home", "End", "PageUp", "PageDown"];
const OWN_KEYS: Record<string, readonly string[]> = {
  checkbox: [" "],
  radio: [" ", ...ARROWS],
  range: [...ARROWS, ...TO_ENDS],
};

/** Whether a key belongs to the control that has the focus: all do where something is written, else only its own. */
export function takesKey({ tag, type }: Control, key: string): boolean {
  if (tag === "TEXTAREA" || tag === "SELECT") return true;
  if (tag === "A" || tag === "BUTTON" || tag === "SUMMARY") return key === "Enter" || key === " ";
  if (tag !== "INPUT") return false;
  if (!WRITTEN_NOT.has(type)) return true;
  return (OWN_KEYS[type] ?? ["Enter", " "]).includes(key);
}
