import { useSyncExternalStore } from "react";

/**
 * Tokens that were issued in this window and not said to be saved, by device: the API never shows them again.
 *
 * They outlive the tab and the page on which they were issued, and the window asks before it is closed.
 */
const shown = new Map<string, readonly string[]>();
const listeners = new Set<() => void>();
const NONE: readonly string[] = [];

const hold = (event: BeforeUnloadEvent) => event.preventDefault();

function change(deviceId: string, tokens: readonly string[]): void {
  if (tokens.length === 0) shown.delete(deviceId);
  else shown.set(deviceId, tokens);
  if (shown.size === 0) window.removeEventListener("beforeunload", hold);
  else window.addEventListener("beforeunload", hold);
  for (const listener of listeners) listener();
}

export function tokenIssued(deviceId: string, token: string): void {
  change(deviceId, [...(shown.get(deviceId) ?? NONE), token]);
}

export function tokenSaved(deviceId: string, token: string): void {
  change(deviceId, (shown.get(deviceId) ?? NONE).filter((other) => other !== token));
}

/** The tokens of a device that are still to be saved, the first issued first. */
export function useShownTokens(deviceId: string): readonly string[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => shown.get(deviceId) ?? NONE,
  );
}
