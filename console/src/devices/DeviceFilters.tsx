import { useEffect, useState } from "react";
import { type Choice, Picker } from "../ui/Picker";
import { useDebounced } from "../ui/useDebounced";
import { type DeviceSearch, type Dimension, isNarrowed, textOfValues, valuesOf } from "./deviceFilter";
import { SavedFilters } from "./SavedFilters";
import type { Facets } from "./useDevices";

type Props = { search: DeviceSearch; facets: Facets | undefined; onChange: (part: DeviceSearch) => void };

// Of a filter with many values, the most frequent; the others are behind a button.
const SHOWN_AT_FIRST = 8;
const WORDS: Record<string, string> = { ONLINE: "online", OFFLINE: "offline", NEVER_SEEN: "never seen" };

/** What narrows the list of devices: search, facets with counts, place, links. All of it stands in the address. */
export function DeviceFilters({ search, facets, onChange }: Props) {
  const under = facets?.under && "kind" in facets.under ? facets.under : null;
  const place: Choice | null = search.under ? { id: search.under, name: under?.name ?? "…", kind: under?.kind ?? "SPACE" } : null;
  return (
    <details className="filters" open={window.innerWidth > 900}>
      <summary>Filters</summary>
      <div className="stack">
        <SavedFilters search={search} onChange={onChange} />
        <Facet title="Type" dimension="type" values={facets?.type?.flatMap((facet) => facet.values)} search={search} onChange={onChange} isSeveral />
        <Facet title="Connection" dimension="connectivity" values={facets?.connectivity?.flatMap((facet) => facet.values)} search={search} onChange={onChange} />
        <Facet title="Status" dimension="status" values={facets?.status?.flatMap((facet) => facet.values)} search={search} onChange={onChange} isSeveral />
        <label>
          Links
          <select value={search.linked ?? ""} onChange={(event) => onChange({ linked: event.target.value || undefined })}>
            <option value="">linked or not</option>
            <option value="yes">linked to an asset</option>
            <option value="no">not linked</option>
          </select>
        </label>
        <Picker label="Located under" kinds={["SPACE", "ASSET"]} value={place} onChoose={(choice) => onChange({ under: choice?.id })} />
        {isNarrowed(search) && (
          <button
            type="button"
            className="button"
            onClick={() => onChange({ q: undefined, type: undefined, status: undefined, connectivity: undefined, under: undefined, linked: undefined })}
          >
            Clear all filters
          </button>
        )}
      </div>
    </details>
  );
}

/** The search of the list; it goes into the address once the typing rests. */
export function SearchField({ value, onChange }: { value: string; onChange: (text: string) => void }) {
  const [text, setText] = useState(value);
  const debounced = useDebounced(text, 250);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (debounced.trim() !== value) onChange(debounced.trim());
    // Only what was typed goes into the address, not the address into itself.
  }, [debounced]);
  return (
    <input type="search" aria-label="Search devices" placeholder="Search name or external id ( / )" value={text} onChange={(event) => setText(event.target.value)} style={{ flex: "1 1 200px" }} />
  );
}

function Facet({
  title,
  dimension,
  values,
  search,
  onChange,
  isSeveral,
}: {
  title: string;
  dimension: Dimension;
  values: readonly { value?: string | null; count: number }[] | undefined;
  search: DeviceSearch;
  onChange: (part: DeviceSearch) => void;
  isSeveral?: boolean;
}) {
  const [areAllShown, setAllShown] = useState(false);
  const chosen = valuesOf(search[dimension]);
  const counted = (values ?? []).flatMap((facet) => (facet.value ? [{ value: facet.value, count: facet.count }] : []));
  // What is chosen can be removed, also where no device has it any more.
  const all = [...counted, ...chosen.filter((value) => !counted.some((facet) => facet.value === value)).map((value) => ({ value, count: 0 }))];
  if (all.length === 0) return null;
  const shown = areAllShown ? all : all.filter(({ value }, index) => index < SHOWN_AT_FIRST || chosen.includes(value));
  const toggle = (value: string) => {
    const without = chosen.filter((other) => other !== value);
    const next = without.length < chosen.length ? without : isSeveral ? [...chosen, value] : [value];
    onChange({ [dimension]: textOfValues(next) });
  };
  return (
    <fieldset className="plain-set facet-group">
      <legend>{title}</legend>
      {shown.map(({ value, count }) => (
        <button type="button" key={value} aria-pressed={chosen.includes(value)} onClick={() => toggle(value)}>
          <span>{WORDS[value] ?? value}</span>
          <span className="number muted">{count.toLocaleString("en")}</span>
        </button>
      ))}
      {all.length > shown.length && (
        <button type="button" onClick={() => setAllShown(true)}>
          <span>{all.length - shown.length} more…</span>
        </button>
      )}
    </fieldset>
  );
}
