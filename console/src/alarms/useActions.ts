import { useAllowed } from "../session/ActionButton";
import type { Mutation } from "../session/permissions";
import { isPast } from "../time/moment";
import { useMoment } from "../time/useMoment";
import type { ActionKind } from "./alarm";
import { ACTIONS } from "./words";

const MUTATIONS = {
  acknowledge: "acknowledgeEvents",
  dismiss: "dismissEvents",
  shelve: "shelveEvents",
  comment: "commentEvent",
  work: "createActivityFromTemplate",
} as const satisfies Record<ActionKind, Mutation>;

/** The actions on alarms that the session may take; in the past, which is read-only, none. */
export function useActions(): typeof ACTIONS {
  const { moment } = useMoment();
  const allowed = useAllowed(Object.values(MUTATIONS));
  return isPast(moment) ? [] : ACTIONS.filter(([kind]) => allowed.includes(MUTATIONS[kind]));
}
