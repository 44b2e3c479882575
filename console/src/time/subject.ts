import { useEffect, useSyncExternalStore } from "react";

/** What the page shows: entities, or all below one. The time bar marks the changes of their links and their alarms. */
export type TimeSubject = { entityIds: readonly string[] } | { underId: string } | null;

let subject: TimeSubject = null;
const listeners = new Set<() => void>();

function set(next: TimeSubject): void {
  if (JSON.stringify(next) === JSON.stringify(subject)) return;
  subject = next;
  for (const listener of listeners) listener();
}

/** Say what the page shows, while it is there. */
export function useTimeSubject(next: TimeSubject): void {
  const key = JSON.stringify(next);
  useEffect(() => {
    set(JSON.parse(key) as TimeSubject);
    return () => set(null);
  }, [key]);
}

export function useCurrentSubject(): TimeSubject {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => subject,
  );
}
