import { differenceOf, labelOf } from "./compare";
import { JsonValue } from "./JsonValue";

/** What differs between two states of an object, a line a field: before, then after. */
export function Difference({ before, after, most = 12 }: { before: unknown; after: unknown; most?: number }) {
  const changes = differenceOf(before, after);
  if (changes.length === 0) return <span className="muted">no field differs</span>;
  const isChange = before !== null && after !== null;
  return (
    <ul className="plain difference">
      {changes.slice(0, most).map((change) => (
        <li key={change.path.join(".")}>
          <span className="muted">{labelOf(change.path)}:</span>{" "}
          {isChange && (
            <>
              <del>
                <JsonValue value={change.before} />
              </del>
              <span className="muted" aria-hidden="true">
                {" → "}
              </span>
              <span className="visually-hidden"> became </span>
            </>
          )}
          <ins>
            <JsonValue value={after === null ? change.before : change.after} />
          </ins>
        </li>
      ))}
      {changes.length > most && <li className="muted">and {changes.length - most} more</li>}
    </ul>
  );
}
