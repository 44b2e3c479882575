import { EntityLink } from "../entities/EntityLink";
import { durationText } from "../time/duration";
import { type Micros, now } from "../time/instant";
import { Instant } from "../ui/Time";
import { type StayTimes, stayAt } from "./stays";

type End = { id: string; kind: string; name: string };
type Stay = StayTimes & { metric: string; entity?: End | null; space?: End | null };

/** Where a thing that moves was, or who was in a space: from when to when, the latest first. at: the moment shown; null: now. */
export function StaysTable({ stays, total, entityId, at }: { stays: readonly Stay[]; total: number; entityId: string; at: Micros | null }) {
  if (stays.length === 0) return <p className="muted">None. Stays are recorded where a formula of its type or profile uses inArea(…).</p>;
  const clock = now();
  const isOfSpace = stays[0]?.space?.id === entityId;
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="Stays">
      <table>
        <thead>
          <tr>
            <th scope="col">{isOfSpace ? "What" : "Where"}</th>
            <th scope="col">Entered</th>
            <th scope="col">Left</th>
            <th scope="col" className="number">
              For
            </th>
          </tr>
        </thead>
        <tbody>
          {[...stays].reverse().map((stay) => {
            const other = isOfSpace ? stay.entity : stay.space;
            const { left, isLost, durationUs } = stayAt(stay, at, clock);
            return (
              <tr key={`${stay.metric} ${stay.entered ?? ""} ${stay.entity?.id ?? ""}`}>
                <td>{other ? <EntityLink entity={other} /> : stay.metric}</td>
                <td>{stay.entered ? <Instant at={stay.entered} /> : <span className="muted">earlier</span>}</td>
                <td>
                  {left === null ? <span className="tag good">{at === null ? "still there" : "still there then"}</span> : <Instant at={left} />}
                  {isLost && <span className="tag"> not seen since</span>}
                </td>
                <td className="number nowrap">{durationUs === null ? "" : lengthOf(durationUs)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {total > stays.length && (
        <p className="muted small">
          The latest {stays.length} of {total.toLocaleString("en")} are shown.
        </p>
      )}
    </div>
  );
}

function lengthOf(durationUs: number): string {
  const minutes = Math.round(durationUs / 60e6);
  return minutes < 1 ? `${Math.round(durationUs / 1e6)} s` : durationText(`PT${minutes}M`);
}
