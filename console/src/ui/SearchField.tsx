import { useEffect, useState } from "react";
import { useDebounced } from "./useDebounced";

/** The field for a list's search: what is typed goes on shortly after, and what comes from elsewhere is shown. */
export function SearchField({ value, placeholder, onChange }: { value: string; placeholder: string; onChange: (value: string) => void }) {
  const [typed, setTyped] = useState(value);
  const debounced = useDebounced(typed, 250);
  useEffect(() => {
    if (debounced !== value) onChange(debounced);
    // Only what was typed goes on; what comes from the address is taken below.
  }, [debounced]);
  useEffect(() => {
    if (value !== debounced) setTyped(value);
  }, [value]);
  return (
    <label>
      Search
      <input type="search" value={typed} placeholder={placeholder} onChange={(event) => setTyped(event.target.value)} />
    </label>
  );
}
