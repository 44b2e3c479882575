import { useEffect } from "react";

// Keys that a part of the page takes itself while it has the focus, so that the help can show them, too.
const notes: Record<string, string>[] = [];

/** Show keys in the help while the component is there: each with what it does. */
export function useKeyNotes(own: Record<string, string>): void {
  useEffect(() => {
    notes.push(own);
    return () => {
      notes.splice(notes.indexOf(own), 1);
    };
  }, [own]);
}

/** Return the keys that a part of the page takes itself, each once. */
export function currentNotes(): [string, string][] {
  return Object.entries(Object.assign({}, ...notes) as Record<string, string>);
}
