import { useEffect, useRef } from "react";
import { takesKey } from "./controls";

/** A key, or two keys after each other ("g d"), and what it does. */
type KeyAction = { label: string; run: () => void };
type KeyMap = Record<string, KeyAction>;

const CHORD_MS = 1_200;
const maps: { map: { current: KeyMap }; isOfDialog: boolean }[] = [];
let pending: { key: string; at: number } | null = null;

/**
 * Add keys while the component is there; of two maps with one key, the newer has it.
 *
 * isOfDialog: they are of a dialog, and do something while it alone is open. All others do nothing then.
 */
export function useKeys(map: KeyMap, { enabled = true, isOfDialog = false }: { enabled?: boolean; isOfDialog?: boolean } = {}): void {
  const ref = useRef(map);
  ref.current = map;
  useEffect(() => {
    if (!enabled) return;
    const added = { map: ref, isOfDialog };
    maps.push(added);
    return () => {
      maps.splice(maps.indexOf(added), 1);
    };
  }, [enabled, isOfDialog]);
}

/** Return the keys that do something now, each with its label. */
export function currentKeys(): [string, string][] {
  const all = new Map<string, string>();
  for (const { map } of maps) for (const [key, action] of Object.entries(map.current)) all.set(key, action.label);
  return [...all];
}

/** Whether a key belongs to what has the focus, and is no shortcut. */
function isOfControl(event: KeyboardEvent): boolean {
  const { target, key } = event;
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.closest("[role=listbox]") !== null) return true;
  const control = target.closest<HTMLElement>("a, button, summary, input, textarea, select, [role=button]");
  if (control === null) return false;
  const tag = control.role === "button" ? "BUTTON" : control.tagName;
  return takesKey({ tag, type: control instanceof HTMLInputElement ? control.type : "" }, key);
}

function find(key: string, isOfDialog = false): KeyAction | undefined {
  return maps.findLast((entry) => (!isOfDialog || entry.isOfDialog) && key in entry.map.current)?.map.current[key];
}

document.addEventListener("keydown", (event) => {
  const palette = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k";
  if (palette) {
    event.preventDefault();
    find("Control+k")?.run();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (isOfControl(event)) return;
  // While a dialog is open only what it adds itself is meant; the dialog is modal.
  const dialogs = document.querySelectorAll("dialog[open]").length;
  if (dialogs > 0 && event.key !== "t") {
    const action = dialogs === 1 ? find(event.key, true) : undefined;
    if (action === undefined) return;
    event.preventDefault();
    action.run();
    return;
  }
  const chord = pending !== null && event.timeStamp - pending.at < CHORD_MS ? `${pending.key} ${event.key}` : null;
  pending = null;
  const action = (chord && find(chord)) || find(event.key);
  if (action) {
    event.preventDefault();
    action.run();
    return;
  }
  if (event.key.length === 1) pending = { key: event.key, at: event.timeStamp };
});
