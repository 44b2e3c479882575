import { useId, useState } from "react";
import { useApi } from "../api/hooks";
import { graphql } from "../api/gen";
import type { EntityKind } from "../api/gen/graphql";
import { useDebounced } from "./useDebounced";

const SEARCH = graphql(`
  query PickerSearch($text: String!, $kinds: [EntityKind!], $first: Int!) {
    search(text: $text, kinds: $kinds, first: $first) {
      entity {
        id
        kind
        name
        type
        externalId
      }
      path
    }
  }
`);

export type Choice = { id: string; name: string; kind: EntityKind; type?: string | null };

/** A field in which an entity is searched for by the server and chosen; it never loads a collection. */
export function Picker({
  label,
  kinds,
  without,
  value,
  onChoose,
}: {
  label: string;
  kinds?: EntityKind[];
  /** The id of an entity that cannot be chosen. */
  without?: string;
  value: Choice | null;
  onChoose: (choice: Choice | null) => void;
}) {
  const [text, setText] = useState("");
  const [isOpen, setOpen] = useState(false);
  const [active, setActive] = useState(0);
  const id = useId();
  const searched = useDebounced(text.trim(), 150);
  const answer = useApi(SEARCH, { text: searched, kinds: kinds ?? null, first: 12 }, { enabled: searched.length > 0, keep: true });
  const hits = searched.length > 0 ? (answer.data?.search ?? []).filter((hit) => hit.entity.id !== without) : [];
  const choose = (index: number) => {
    const hit = hits[index];
    if (!hit) return;
    onChoose({ id: hit.entity.id, name: hit.entity.name, kind: hit.entity.kind, type: hit.entity.type ?? null });
    setText("");
    setOpen(false);
  };
  if (value !== null) {
    return (
      <div>
        <span className="muted small">{label}</span>
        <div className="bar">
          <b>{value.name}</b>
          <span className="muted">{value.type ?? value.kind.toLowerCase()}</span>
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
        placeholder="Name, external id or type"
        style={{ width: "100%" }}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
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
              key={hit.entity.id}
              id={`${id}-${index}`}
              className="option"
              role="option"
              aria-selected={index === active}
              onMouseDown={() => choose(index)}
            >
              {hit.entity.name} <span className="muted">{hit.entity.type ?? hit.entity.kind.toLowerCase()}</span>
              {hit.path.length > 0 && <div className="path">{hit.path.join(" › ")}</div>}
            </li>
          ))}
        </ul>
      )}
      {isOpen && searched.length > 0 && answer.data && hits.length === 0 && <p className="muted small">Nothing has a name like that.</p>}
    </div>
  );
}
