import { EntityLink } from "../entities/EntityLink";
import { isPast } from "../time/moment";
import { useMoment } from "../time/useMoment";
import { microsOf, now } from "../time/instant";
import { NowNote } from "../ui/States";
import { Instant } from "../ui/Time";

export type Activity = { id: string; kind: string; name: string; state?: string; category?: string; priority?: string; dueAt?: string | null };

const DONE: readonly string[] = ["DONE", "VERIFIED", "CANCELLED"];

/** Activities: what is still to do first, then by when it is due. */
export function WorkTable({ activities }: { activities: readonly Activity[] }) {
  const { moment } = useMoment();
  const at = isPast(moment) ? moment.at : now();
  const isDone = (each: Activity) => DONE.includes(each.state ?? "");
  const rows = [...activities].sort((a, b) => Number(isDone(a)) - Number(isDone(b)) || (a.dueAt ?? "~").localeCompare(b.dueAt ?? "~") || (a.id < b.id ? -1 : 1));
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="Work">
      <table>
        <thead>
          <tr>
            <th scope="col">Activity</th>
            <th scope="col">
              State <NowNote past={isPast(moment)} />
            </th>
            <th scope="col">Priority</th>
            <th scope="col">Due</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((each) => (
            <tr key={each.id}>
              <td>
                <EntityLink entity={each} /> <span className="muted small">{each.category}</span>
              </td>
              <td>{(each.state ?? "").toLowerCase().replace(/_/g, " ")}</td>
              <td>{each.priority}</td>
              <td>
                {each.dueAt ? <Instant at={each.dueAt} /> : <span className="muted">no date</span>}
                {each.dueAt && !isDone(each) && microsOf(each.dueAt) < at && <span className="tag bad"> overdue</span>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
