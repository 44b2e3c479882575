import type { ActionKind } from "./alarm";

export const TITLES: Record<ActionKind, string> = {
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

/** The actions on alarms, in the order in which they are offered, each with its key and the text of its button. */
export const ACTIONS: readonly [ActionKind, key: string, label: string][] = [
  ["acknowledge", "a", "Acknowledge"],
  ["dismiss", "d", "Dismiss"],
  ["shelve", "s", "Shelve"],
  ["comment", "m", "Comment"],
  ["work", "w", "Work order"],
];

export function alarmsText(count: number): string {
  return count === 1 ? "1 alarm" : `${count.toLocaleString("en")} alarms`;
}
