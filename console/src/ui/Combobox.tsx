import { useId, useState } from "react";

type Hit = { id: string; name: string; note: string; path?: readonly string[] };

type Props = {
  label: string;
  placeholder: string;
  /** What is chosen; null: nothing yet, and the field is shown. */
  chosen: { name: string; note: string } | null;
  text: string;
  onText: (text: string) => void;
  hits: readonly Hit[];
  /** Whether these are all hits of the text: that there are none can be said. */
  isAnswered: boolean;
  onChoose: (hit: Hit | null) => void;
};

/** A field in which something is searched for, and chosen from the hits by keys or the mouse. */
export function Combobox({ label, placeholder, chosen, text, onText, hits, isAnswered, onChoose }: Props) {
  const [isOpen, setOpen] = useState(false);
  const [active, setActive] = useState(0);
  const id = useId();
  const choose = (index: number) => {
    const hit = hits[index];
    if (!hit) return;
    onChoose(hit);
    onText("");
    setOpen(false);
  };
  if (chosen !== null) {
    return (
      <div>
        <span className="muted small">{label}</span>
        <div className="bar">
          <b>{chosen.name}</b>
          <span className="muted">{chosen.note}</span>
          <button type="button" className="button" onClick={() => onChoose(null)}>
            Choose another
          </button>
        </div>
      </div>
    );
  }
  return (
    <div className="picker">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type="text"
        role="combobox"
        autoComplete="off"
        aria-expanded={isOpen && hits.length > 0}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={isOpen && hits[active] ? `${id}-${active}` : undefined}
        placeholder={placeholder}
        style={{ width: "100%" }}
        value={text}
        onChange={(event) => {
          onText(event.target.value);
          setActive(0);
          setOpen(true);
        }}
        onKeyDown={(event) => {
          if (event.key === "ArrowDown") setActive(Math.min(active + 1, hits.length - 1));
          else if (event.key === "ArrowUp") setActive(Math.max(active - 1, 0));
          else if (event.key === "Enter" && isOpen) choose(active);
          else if (event.key === "Escape" && isOpen) setOpen(false);
          else return;
          event.preventDefault();
          event.stopPropagation();
        }}
        onBlur={() => setTimeout(() => setOpen(false), 150)}
      />
      {isOpen && hits.length > 0 && (
        <ul className="picker-list" role="listbox" id={`${id}-list`} aria-label={label}>
          {hits.map((hit, index) => (
            <li
              key={hit.id}
              id={`${id}-${index}`}
              className="option"
              role="option"
              aria-selected={index === active}
              onMouseDown={() => choose(index)}
            >
              {hit.name} <span className="muted">{hit.note}</span>
              {hit.path !== undefined && hit.path.length > 0 && <div className="path">{hit.path.join(" › ")}</div>}
            </li>
          ))}
        </ul>
      )}
      {isOpen && isAnswered && hits.length === 0 && <p className="muted small">Nothing has a name like that.</p>}
    </div>
  );
}
