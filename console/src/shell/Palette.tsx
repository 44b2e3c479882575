import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { graphql } from "../api/gen";
import { useApi } from "../api/hooks";
import { entityTarget } from "../entities/paths";
import { useDebounced } from "../ui/useDebounced";

const SEARCH = graphql(`
  query PaletteSearch($text: String!) {
    search(text: $text, first: 12) {
      entity {
        id
        kind
        name
        type
      }
      path
    }
  }
`);

/** Addresses of pages that need no id. */
type PagePath = "/" | "/devices" | "/assets" | "/spaces" | "/alarms" | "/rules" | "/graph" | "/changes";
type Entry = { key: string; label: string; detail: string; path: readonly string[]; open: () => void };

/** Search for everything: pages by name, entities by the server, ranked, with where each is. */
export default function Palette({
  pages,
  onClose,
}: {
  pages: readonly { to: PagePath; label: string }[];
  onClose: () => void;
}) {
  const [text, setText] = useState("");
  const [active, setActive] = useState(0);
  const dialog = useRef<HTMLDialogElement>(null);
  const navigate = useNavigate();
  const searched = useDebounced(text.trim(), 120);
  const answer = useApi(SEARCH, { text: searched }, { enabled: searched !== "", keep: true });
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  const go = (target: { to: PagePath } | ReturnType<typeof entityTarget>) => {
    onClose();
    void navigate(target);
  };
  const entries: Entry[] = [
    ...pages
      .filter((page) => page.label.toLowerCase().includes(text.trim().toLowerCase()))
      .map((page) => ({ key: page.to, label: page.label, detail: "page", path: [], open: () => go({ to: page.to }) })),
    ...(searched === "" ? [] : (answer.data?.search ?? [])).map((hit) => ({
      key: hit.entity.id,
      label: hit.entity.name,
      detail: hit.entity.type ?? hit.entity.kind.toLowerCase(),
      path: hit.path,
      open: () => go(entityTarget(hit.entity)),
    })),
  ];
  const index = Math.min(active, Math.max(0, entries.length - 1));
  return (
    <dialog ref={dialog} className="palette" aria-label="Search everything" onCancel={onClose}>
      <div className="dialog-head">
        <input
          type="search"
          role="combobox"
          aria-expanded={entries.length > 0}
          aria-controls="palette-list"
          aria-activedescendant={entries[index] ? `palette-${index}` : undefined}
          aria-label="Search everything"
          autoComplete="off"
          placeholder="Name, external id, type or page"
          style={{ width: "100%" }}
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setActive(0);
          }}
          onKeyDown={(event) => {
            if (event.key === "ArrowDown") setActive(Math.min(index + 1, entries.length - 1));
            else if (event.key === "ArrowUp") setActive(Math.max(index - 1, 0));
            else if (event.key === "Enter") entries[index]?.open();
            else return;
            event.preventDefault();
          }}
        />
      </div>
      <ul className="plain dialog-body" role="listbox" id="palette-list" aria-label="Hits">
        {entries.map((entry, position) => (
          <li
            key={entry.key}
            id={`palette-${position}`}
            role="option"
            className="option"
            aria-selected={position === index}
            onMouseDown={entry.open}
          >
            {entry.label} <span className="muted">{entry.detail}</span>
            {entry.path.length > 0 && <div className="path">{entry.path.join(" › ")}</div>}
          </li>
        ))}
      </ul>
      {entries.length === 0 && searched !== "" && !answer.isFetching && <p className="state">Nothing has a name like that.</p>}
    </dialog>
  );
}
