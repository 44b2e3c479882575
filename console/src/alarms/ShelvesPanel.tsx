import { EntityLink } from "../entities/EntityLink";
import { useChange } from "../api/hooks";
import { ActionButton } from "../shell/ActionButton";
import { Failed } from "../ui/States";
import { Instant } from "../ui/Time";
import { toast } from "../ui/Toasts";
import { UNSHELVE } from "./marks";
import type { Shelf } from "./shelves";

/** What is shelved now: by whom, why, until when, and how to end it. */
export function ShelvesPanel({ shelves, past }: { shelves: readonly Shelf[]; past: boolean }) {
  const unshelve = useChange(UNSHELVE, (data) => data.unshelveEvents);
  if (shelves.length === 0) return null;
  const end = async (shelf: Shelf) => {
    try {
      await unshelve.run({ id: shelf.id });
      toast("The shelf was ended. What is still open is acted on now.");
    } catch {
      // What was refused is in the faults of the change, which are shown below.
    }
  };
  return (
    <section className="panel scroll" aria-label="Shelves" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">Shelved</th>
            <th scope="col">Until</th>
            <th scope="col">By, why</th>
            <th scope="col">
              <span className="visually-hidden">End</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {shelves.map((shelf) => (
            <tr key={shelf.id}>
              <td>
                {shelf.rule?.name ?? "every rule"} {shelf.entity ? <>at <EntityLink entity={shelf.entity} /></> : "everywhere"}
              </td>
              <td>
                <Instant at={shelf.to} />
              </td>
              <td>
                {shelf.actor}
                {shelf.note && <div className="muted">“{shelf.note}”</div>}
              </td>
              <td>
                <ActionButton mutation="unshelveEvents" past={past} disabled={unshelve.isRunning} onClick={() => void end(shelf)}>
                  End now
                </ActionButton>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <Failed faults={unshelve.faults} />
    </section>
  );
}
