import { useState } from "react";
import type { Micros } from "../time/instant";
import { fromWallClock, toWallClock, useZone } from "../time/zone";

/**
 * A field for the instant that a page shows, as a wall clock of the chosen zone. Empty: null.
 *
 * While it is typed it is left alone; Enter, or leaving the field, goes there, and Escape takes back what was typed.
 */
export function InstantInput({ label, value, onChoose }: { label: string; value: Micros | null; onChoose: (instant: Micros) => void }) {
  const [typed, setTyped] = useState<string | null>(null);
  const zone = useZone();
  const commit = () => {
    if (typed) onChoose(fromWallClock(typed, zone));
    setTyped(null);
  };
  return (
    <input
      type="datetime-local"
      step={1}
      aria-label={label}
      value={typed ?? (value === null ? "" : toWallClock(value, zone))}
      onChange={(event) => setTyped(event.target.value)}
      onBlur={commit}
      onKeyDown={(event) => {
        if (event.key === "Enter") commit();
        else if (event.key === "Escape") setTyped(null);
      }}
    />
  );
}
