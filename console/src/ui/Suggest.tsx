import { useEffect, useId, useRef, useState } from "react";
import { completed, type Suggestion, suggestionsFor, wordAt } from "./suggestions";

type Props = {
  label: string;
  value: string;
  onChange: (value: string) => void;
  suggestions: readonly Suggestion[];
  /** Names within an expression are completed, not the text as a whole. */
  isExpression?: boolean;
  placeholder?: string;
  isInvalid: boolean;
  /** Id of what says why it is invalid. */
  faultId: string;
};

/** A text field that suggests names while they are typed; Down opens the suggestions, Enter or Tab takes one, Escape closes. */
export function Suggest({ label, value, onChange, suggestions, isExpression = false, placeholder, isInvalid, faultId }: Props) {
  const field = useRef<HTMLInputElement>(null);
  const [isOpen, setOpen] = useState(false);
  const [active, setActive] = useState(0);
  const [caret, setCaret] = useState(value.length);
  // Where the caret is to be once a suggestion was taken.
  const placed = useRef<number | null>(null);
  const id = useId();
  useEffect(() => {
    if (placed.current === null) return;
    field.current?.setSelectionRange(placed.current, placed.current);
    placed.current = null;
  }, [value]);
  const word = wordAt(value, caret, isExpression);
  const shown = isOpen ? suggestionsFor(word, suggestions) : [];
  const take = (index: number) => {
    const suggestion = shown[index];
    if (suggestion === undefined) return;
    const next = completed(value, caret, isExpression, suggestion.text);
    placed.current = next.caret;
    setCaret(next.caret);
    onChange(next.value);
    setOpen(false);
  };
  return (
    <div className={isExpression ? "suggest mono" : "suggest"}>
      <label htmlFor={id}>{label}</label>
      <input
        ref={field}
        id={id}
        type="text"
        role="combobox"
        autoComplete="off"
        spellCheck={false}
        aria-autocomplete="list"
        aria-expanded={shown.length > 0}
        aria-controls={`${id}-list`}
        aria-activedescendant={shown[active] ? `${id}-${active}` : undefined}
        aria-invalid={isInvalid || undefined}
        aria-describedby={isInvalid ? faultId : undefined}
        placeholder={placeholder}
        value={value}
        onChange={(event) => {
          const at = event.target.selectionStart ?? event.target.value.length;
          setCaret(at);
          setActive(0);
          // Of an expression only a name that has begun is completed.
          setOpen(!isExpression || wordAt(event.target.value, at, true) !== "");
          onChange(event.target.value);
        }}
        onKeyDown={(event) => {
          if (event.key === "ArrowDown" && !isOpen) {
            setCaret(event.currentTarget.selectionStart ?? value.length);
            setActive(0);
            setOpen(true);
          } else if (shown.length === 0) return;
          else if (event.key === "ArrowDown") setActive(Math.min(active + 1, shown.length - 1));
          else if (event.key === "ArrowUp") setActive(Math.max(active - 1, 0));
          else if (event.key === "Enter") take(active);
          else if (event.key === "Tab" && isExpression) take(active);
          else if (event.key === "Escape") setOpen(false);
          else return;
          event.preventDefault();
          event.stopPropagation();
        }}
        onBlur={() => setTimeout(() => setOpen(false), 150)}
      />
      {shown.length > 0 && (
        <ul className="picker-list" role="listbox" id={`${id}-list`} aria-label={label}>
          {shown.map((suggestion, index) => (
            <li key={suggestion.text} id={`${id}-${index}`} className="option" role="option" aria-selected={index === active} onMouseDown={() => take(index)}>
              {suggestion.text} {suggestion.note && <span className="muted">{suggestion.note}</span>}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
