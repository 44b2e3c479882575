import { useEffect, useRef } from "react";

type Value = { value?: string | null; label?: string | null; count: number };

/** A choice of values, each with how many there are of it: a button that unfolds boxes. Escape folds it. */
export function FacetMenu({
  label,
  values,
  chosen,
  onChange,
}: {
  label: string;
  values: readonly Value[];
  chosen: readonly string[];
  onChange: (values: string[]) => void;
}) {
  const menu = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const fold = (event: PointerEvent) => {
      if (menu.current?.open && event.target instanceof Node && !menu.current.contains(event.target)) menu.current.open = false;
    };
    document.addEventListener("pointerdown", fold);
    return () => document.removeEventListener("pointerdown", fold);
  }, []);
  const named = values.flatMap((facet) => (typeof facet.value === "string" ? [{ ...facet, value: facet.value }] : []));
  // What is chosen stays in the menu where nothing has it any more: otherwise it could not be undone.
  const gone = chosen.filter((value) => !named.some((facet) => facet.value === value)).map((value) => ({ value, label: value, count: 0 }));
  return (
    <details
      className="facet"
      ref={menu}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !menu.current?.open) return;
        event.stopPropagation();
        menu.current.open = false;
        menu.current.querySelector("summary")?.focus();
      }}
    >
      <summary className="button">
        {label}
        {chosen.length > 0 && <b>: {chosen.length === 1 ? chosen[0] : `${chosen.length} chosen`}</b>}
        <span aria-hidden="true">▾</span>
      </summary>
      <fieldset className="facet-list">
        <legend className="visually-hidden">{label}</legend>
        {[...named, ...gone].map((facet) => (
          <label className="inline" key={facet.value}>
            <input
              type="checkbox"
              checked={chosen.includes(facet.value)}
              onChange={(event) => onChange(event.target.checked ? [...chosen, facet.value] : chosen.filter((value) => value !== facet.value))}
            />
            <span>{facet.label ?? facet.value}</span>
            <span className="muted number">{facet.count.toLocaleString("en")}</span>
          </label>
        ))}
        {named.length + gone.length === 0 && <span className="muted">There are none.</span>}
        {chosen.length > 0 && (
          <button type="button" className="button quiet" onClick={() => onChange([])}>
            Clear
          </button>
        )}
      </fieldset>
    </details>
  );
}
