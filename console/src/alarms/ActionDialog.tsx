import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { EventFilter } from "../api/gen/graphql";
import type { Fault } from "../api/request";
import { Dialog } from "../ui/Dialog";
import { Failed } from "../ui/States";
import { toast, undoBy } from "../ui/Toasts";
import { AllForm, NoteForm, ShelveForm, WorkForm } from "./actionForms";
import { afterAction, type Mark } from "./actions";
import type { ActionKind, Alarm } from "./alarm";
import { faultsOf, type Outcome } from "./outcome";
import { alarmsText, DONE, TITLES } from "./words";

/** What is to be done, and to what: to these alarms, or to all of a filter. */
export type Action = { kind: ActionKind; alarms: readonly Alarm[] } | { kind: Mark; filter: EventFilter };

type Props = {
  action: Action;
  onClose: () => void;
  onDone: () => void;
  /** A part was refused: these alarms are left, and can be tried again here. */
  onLeft: (alarms: readonly Alarm[]) => void;
};

/**
 * Asks what an action on alarms needs, and does it. What is refused is said for each alarm; what was typed stays, and
 * trying again does only what is left.
 */
export function ActionDialog({ action, onClose, onDone, onLeft }: Props) {
  const client = useQueryClient();
  const [faults, setFaults] = useState<Fault[]>([]);
  const [isBusy, setBusy] = useState(false);
  const [left, setLeft] = useState<readonly Alarm[] | null>(null);
  const alarms = "alarms" in action ? (left ?? action.alarms) : [];
  const title = "alarms" in action ? `${TITLES[action.kind]} ${alarmsText(alarms.length)}` : `${TITLES[action.kind]} all of this filter`;

  const run = async (work: () => Promise<Outcome | string>) => {
    setBusy(true);
    setFaults([]);
    try {
      const outcome = await work();
      if (typeof outcome !== "string" && outcome.refused.length > 0) {
        setFaults(outcome.refused);
        setLeft(outcome.left);
        onLeft(outcome.left);
        toast(`${alarmsText(outcome.done)} ${DONE[action.kind]}, ${outcome.left.length} refused.`);
        return;
      }
      const undo = typeof outcome === "string" ? undefined : outcome.undo;
      toast(typeof outcome === "string" ? outcome : `${alarmsText(outcome.done)} ${DONE[action.kind]}.`, undo && undoBy(() => undo().finally(() => afterAction(client))));
      onDone();
    } catch (error) {
      setFaults(faultsOf(error));
    } finally {
      // Also after a refusal: a part may have been done.
      afterAction(client);
      setBusy(false);
    }
  };

  const form = { alarms, isBusy, isAgain: left !== null, run };
  return (
    <Dialog title={title} shape="box" onClose={onClose}>
      {"alarms" in action && action.kind !== "work" && <Names alarms={alarms} />}
      {"filter" in action && <AllForm kind={action.kind} filter={action.filter} isBusy={isBusy} run={run} />}
      {"alarms" in action && action.kind === "shelve" && <ShelveForm {...form} />}
      {"alarms" in action && action.kind === "work" && <WorkForm {...form} />}
      {"alarms" in action && (action.kind === "acknowledge" || action.kind === "dismiss" || action.kind === "comment") && (
        <NoteForm kind={action.kind} {...form} />
      )}
      <Failed faults={faults} />
    </Dialog>
  );
}

function Names({ alarms }: { alarms: readonly Alarm[] }) {
  return (
    <ul className="plain small muted">
      {alarms.slice(0, 4).map((alarm) => (
        <li key={alarm.id}>
          {alarm.rule?.name ?? "Alarm"} at {alarm.entity.name}
        </li>
      ))}
      {alarms.length > 4 && <li>and {alarms.length - 4} more</li>}
    </ul>
  );
}
