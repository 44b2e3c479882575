import { useEffect, useState } from "react";
import { useDebounced } from "../ui/useDebounced";

/** The search of a list; it goes into the address once the typing rests. */
export function SearchField({ what, value, onChange }: { what: string; value: string; onChange: (text: string) => void }) {
  const [text, setText] = useState(value);
  const settled = useDebounced(text, 250);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (settled.trim() !== value) onChange(settled.trim());
    // Only what was typed goes into the address, not the address into itself.
  }, [settled]);
  return (
    <input
      type="search"
      aria-label={`Search ${what}`}
      placeholder="Search name or external id ( / )"
      value={text}
      onChange={(event) => setText(event.target.value)}
      style={{ flex: "1 1 200px" }}
    />
  );
}
