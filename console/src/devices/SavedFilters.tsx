import { useState } from "react";
import { toast, undoBy } from "../ui/Toasts";
import { type DeviceSearch, isNarrowed } from "./deviceFilter";

const KEY = "argus.filters.devices";
const FIELDS = ["q", "type", "status", "connectivity", "under", "linked", "order"] as const;

type Saved = Record<string, DeviceSearch>;

function read(): Saved {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    return typeof value === "object" && value !== null ? (value as Saved) : {};
  } catch {
    return {};
  }
}

/** Filters with a name, remembered by this browser; each is an address that can be sent to others, too. */
export function SavedFilters({ search, onChange }: { search: DeviceSearch; onChange: (search: DeviceSearch) => void }) {
  const [saved, setSaved] = useState(read);
  const [name, setName] = useState("");
  const write = (next: Saved) => {
    localStorage.setItem(KEY, JSON.stringify(next));
    setSaved(next);
  };
  const own = Object.fromEntries(FIELDS.map((field) => [field, search[field]])) as DeviceSearch;
  const names = Object.keys(saved).sort();
  const current = names.find((name) => FIELDS.every((field) => (saved[name]?.[field] ?? "") === (own[field] ?? "")));
  return (
    <div className="stack tight">
      {names.length > 0 && (
        <label>
          Saved filters
          <select
            value={current ?? ""}
            onChange={(event) => {
              const chosen = saved[event.target.value];
              if (chosen) onChange(Object.fromEntries(FIELDS.map((field) => [field, chosen[field]])) as DeviceSearch);
            }}
          >
            <option value="">choose…</option>
            {names.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
      )}
      {current !== undefined ? (
        <button
          type="button"
          className="button quiet"
          onClick={() => {
            const { [current]: _, ...others } = saved;
            write(others);
            toast(`The filter “${current}” was forgotten.`, undoBy(async () => write(saved)));
          }}
        >
          Forget “{current}”
        </button>
      ) : (
        isNarrowed(search) && (
          <form
            className="bar"
            onSubmit={(event) => {
              event.preventDefault();
              if (name.trim() !== "") write({ ...saved, [name.trim()]: own });
              setName("");
            }}
          >
            <input type="text" aria-label="Name of the filter" placeholder="Save as…" value={name} onChange={(event) => setName(event.target.value)} style={{ flex: 1, minWidth: 0 }} />
            <button type="submit" className="button" disabled={name.trim() === ""}>
              Save
            </button>
          </form>
        )
      )}
    </div>
  );
}
