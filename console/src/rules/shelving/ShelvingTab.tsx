import { useState } from "react";
import { ActionButton } from "../../session/ActionButton";
import { isPast } from "../../time/moment";
import { useMoment } from "../../time/useMoment";
import { Empty, Failed, Part } from "../../ui/States";
import { toast } from "../../ui/Toasts";
import { ShelveDialog } from "./ShelveDialog";
import { SuppressionRow } from "./SuppressionRow";
import { type Suppression, useEnd, useShelving } from "./useShelving";
import { WindowDialog } from "./WindowDialog";
import "../rules.css";

/** Shelves and maintenance windows: what applies, what is to come, and what is over. One request. */
export function ShelvingTab() {
  const { moment } = useMoment();
  const past = isPast(moment);
  const { answer, placed, left } = useShelving();
  const end = useEnd();
  const [dialog, setDialog] = useState<"shelf" | "window" | null>(null);
  const stop = async (item: Suppression, isBegun: boolean) => {
    try {
      await end.run(item);
    } catch {
      return; // The refusal is shown above the list.
    }
    toast(isBegun ? "It was ended. Alarms that are still open send their notifications now." : "It was removed before it began.");
  };
  const rows = (items: readonly Suppression[], isOver: boolean, isBegun: boolean) => (
    <ul className="plain">
      {items.map((item) => (
        <SuppressionRow key={item.id} item={item} past={past} isRunning={end.isRunning} isLater={!isBegun} onEnd={isOver ? null : () => void stop(item, isBegun)} />
      ))}
    </ul>
  );
  return (
    <div className="stack">
      <div className="bar">
        <p className="muted">While one applies, alarms that open notify nobody and create no work. One still open at the end is acted on then.</p>
        <span className="spring" />
        <ActionButton mutation="shelveEvents" past={past} onClick={() => setDialog("shelf")}>
          Shelve…
        </ActionButton>
        <ActionButton mutation="createMaintenanceWindow" past={past} onClick={() => setDialog("window")}>
          New maintenance window…
        </ActionButton>
      </div>
      <Failed faults={[...answer.faults, ...end.faults]} />
      <Part of={answer} what="shelves and maintenance windows">
        {() =>
          placed.now.length + placed.later.length + placed.over.length === 0 ? (
            <Empty title="Nothing is shelved, and no maintenance is planned">
              <p>Shelve a rule that is known to be noisy; plan a maintenance window where people will be at work.</p>
            </Empty>
          ) : (
            <>
              <section className="panel" aria-label="Applies">
                <h2>{past ? "Applied at the moment" : "Applies now"}</h2>
                {placed.now.length === 0 && <p className="muted">Nothing.</p>}
                {rows(placed.now, false, true)}
              </section>
              {placed.later.length > 0 && (
                <section className="panel" aria-label="To come">
                  <h2>To come</h2>
                  {rows(placed.later, false, false)}
                </section>
              )}
              {placed.over.length > 0 && (
                <details className="panel">
                  <summary>
                    Over <span className="muted number">{placed.over.length}</span>
                  </summary>
                  {rows(placed.over, true, true)}
                </details>
              )}
              {left > 0 && <p className="muted small">{left.toLocaleString("en")} older ones are not listed.</p>}
            </>
          )
        }
      </Part>
      {dialog === "shelf" && <ShelveDialog rule={null} onClose={() => setDialog(null)} />}
      {dialog === "window" && <WindowDialog onClose={() => setDialog(null)} />}
    </div>
  );
}
