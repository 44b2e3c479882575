import { EntityLink } from "../entities/EntityLink";
import { Instant } from "../ui/Time";

type End = { id: string; kind: string; name: string };
type Stay = { metric: string; entered?: string | null; left?: string | null; lost: boolean; entity?: End | null; space?: End | null };

/** Where a thing that moves was, or who was in a space: from when to when. */
export function StaysTable({ stays, total, entityId }: { stays: readonly Stay[]; total: number; entityId: string }) {
  if (stays.length === 0) return <p className="muted">None: a formula with inArea(…) in its type or profile says which areas count.</p>;
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="Stays">
      <table>
        <thead>
          <tr>
            <th scope="col">What</th>
            <th scope="col">Entered</th>
            <th scope="col">Left</th>
          </tr>
        </thead>
        <tbody>
          {stays.map((stay) => {
            const other = stay.entity?.id === entityId ? stay.space : stay.entity;
            return (
              <tr key={`${stay.metric} ${stay.entered ?? ""} ${stay.entity?.id ?? ""}`}>
                <td>{other ? <EntityLink entity={other} /> : stay.metric}</td>
                <td>{stay.entered ? <Instant at={stay.entered} /> : <span className="muted">earlier</span>}</td>
                <td>
                  {stay.left ? <Instant at={stay.left} /> : <span className="tag good">still there</span>}
                  {stay.lost && <span className="tag"> not seen since</span>}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {total > stays.length && (
        <p className="muted small">
          {stays.length} of {total.toLocaleString("en")} are shown.
        </p>
      )}
    </div>
  );
}
