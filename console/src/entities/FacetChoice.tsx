import { useState } from "react";
import { textOfValues, valuesOf } from "./listSearch";

type Value = { value?: string | null; label?: string | null; count: number };
const SHOWN = 8;

/** The values of a facet with how many entities have each; several can be chosen. `chosen`: as in the address. */
export function FacetChoice({
  title,
  values,
  chosen: text,
  onChange,
}: {
  title: string;
  values: readonly Value[] | undefined;
  chosen: string | undefined;
  onChange: (text: string | undefined) => void;
}) {
  const [areAllShown, setAllShown] = useState(false);
  const chosen = valuesOf(text);
  const counted = (values ?? []).flatMap((each) => (each.value ? [{ value: each.value, label: each.label ?? each.value, count: each.count }] : []));
  // What is chosen stays to be taken away, also where nothing is left of it.
  const gone = chosen.filter((value) => !counted.some((each) => each.value === value)).map((value) => ({ value, label: value, count: 0 }));
  const all = [...counted, ...gone];
  if (all.length === 0) return null;
  const shown = areAllShown ? all : all.filter((each, index) => index < SHOWN || chosen.includes(each.value));
  const toggle = (value: string) => {
    const without = chosen.filter((each) => each !== value);
    onChange(textOfValues(without.length < chosen.length ? without : [...chosen, value]));
  };
  return (
    <fieldset className="plain-set facet">
      <legend>{title}</legend>
      {shown.map(({ value, label, count }) => (
        <button type="button" key={value} aria-pressed={chosen.includes(value)} onClick={() => toggle(value)}>
          <span>{label}</span>
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
