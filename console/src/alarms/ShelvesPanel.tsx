import { EntityLink } from "../entities/EntityLink";
import { useChange } from "../api/hooks";
import { ActionButton } from "../session/ActionButton";
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
      toast("The shelf was ended. Alarms that are still open send their notifications now.");
    } catch {
      // What was refused is in the faults of the change, which are shown below.
    }
  };
  return (
    <section className="panel" aria-label="Shelves">
      <ul className="plain shelves">
        {shelves.map((shelf) => (
          <li key={shelf.id}>
            <span className="what">
              <b>{shelf.rule?.name ?? "Every rule"}</b> {shelf.entity ? <>at <EntityLink entity={shelf.entity} /></> : "everywhere"}
              {shelf.note && <span className="muted"> “{shelf.note}”</span>}
            </span>
            <span className="muted small">
              shelved by {shelf.actor} until <Instant at={shelf.to} />
            </span>
            <ActionButton mutation="unshelveEvents" past={past} disabled={unshelve.isRunning} onClick={() => void end(shelf)}>
              End now
            </ActionButton>
          </li>
        ))}
      </ul>
      <Failed faults={unshelve.faults} />
    </section>
  );
}
