import { useSyncExternalStore } from "react";
import { useKeys } from "./keys";

// All charts of a page together: a key that turned one of them alone would leave it to chance which.
let isTable = false;
const listeners = new Set<() => void>();

function toggle(): void {
  isTable = !isTable;
  for (const listener of listeners) listener();
}

/** Whether charts are shown as tables, and a way to change it for all of them; `t` does so, too. */
export function useAsTable(): [asTable: boolean, toggle: () => void] {
  useKeys({ t: { label: "Show charts as tables, and back", run: toggle } });
  const asTable = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => isTable,
  );
  return [asTable, toggle];
}
