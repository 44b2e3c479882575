import { useSyncExternalStore } from "react";

const narrow = matchMedia("(max-width: 700px)");

function listen(listener: () => void): () => void {
  narrow.addEventListener("change", listener);
  return () => narrow.removeEventListener("change", listener);
}

/** Whether the window is as narrow as a phone: lists then have two lines a row instead of columns. */
export function useNarrow(): boolean {
  return useSyncExternalStore(listen, () => narrow.matches);
}
