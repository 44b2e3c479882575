import { graphql } from "../api/gen";
import type { AlarmRowFragment, EventFilter } from "../api/gen/graphql";
import { type Micros, microsOf } from "../time/instant";
import { SEVERITIES } from "../ui/Tags";

export const ALARM_ROW = graphql(`
  fragment AlarmRow on Event {
    id
    state
    severity
    beganAt
    openedAt
    clearedAt
    detectedAt
    withdrawnAt
    acknowledgedAt
    dismissedAt
    value
    flaps
    suppressed
    rule {
      id
      name
    }
    entity {
      id
      kind
      name
      type
    }
  }
`);

export type Alarm = AlarmRowFragment;
/** Which of the alarms in a list are shown, where no filter of the API separates them. */
export type View = "open" | "forgotten" | "shelved" | "any";

const FORGOTTEN_US = 24 * 3600e6;

export function isOpen(alarm: Pick<Alarm, "state">): boolean {
  return alarm.state === "OPEN" || alarm.state === "ACKNOWLEDGED";
}

/** Whether it is shelved or in maintenance, and still open. */
export function isShelved(alarm: Pick<Alarm, "state" | "suppressed">): boolean {
  return alarm.suppressed && isOpen(alarm);
}

/** Whether it was acknowledged longer than a day ago and is still open. */
function isForgotten(alarm: Pick<Alarm, "state" | "acknowledgedAt">, at: Micros): boolean {
  return alarm.state === "ACKNOWLEDGED" && Boolean(alarm.acknowledgedAt) && microsOf(alarm.acknowledgedAt ?? "") < at - FORGOTTEN_US;
}

export type ActionKind = "acknowledge" | "dismiss" | "shelve" | "comment" | "work";

/** The states of the alarms that an action changes; null: those of every state. */
export function statesFor(kind: ActionKind): Alarm["state"][] | null {
  if (kind === "acknowledge") return ["OPEN"];
  return kind === "dismiss" ? ["OPEN", "ACKNOWLEDGED", "CLEARED"] : null;
}

/** Whether an action would do something to an alarm. */
export function isOffered(kind: ActionKind, alarm: Pick<Alarm, "state">): boolean {
  return statesFor(kind)?.includes(alarm.state) ?? true;
}

/**
 * Whether an alarm belongs to a list, as far as its own fields tell: its states, severities and view.
 *
 * Entities and rules are left to the server, which sends a subscription only what lies below an entity.
 */
export function belongs(alarm: Alarm, filter: EventFilter, view: View, at: Micros): boolean {
  if (filter.states && !filter.states.includes(alarm.state)) return false;
  if (filter.severities && !filter.severities.includes(alarm.severity)) return false;
  if (view === "forgotten") return isForgotten(alarm, at);
  if (view === "shelved") return isShelved(alarm);
  return true;
}

// Reading an instant is what sorting a flood would cost; each alarm's is read once.
const openings = new WeakMap<Alarm, Micros>();

function openedOf(alarm: Alarm): Micros {
  const known = openings.get(alarm);
  if (known !== undefined) return known;
  const opened = microsOf(alarm.openedAt);
  openings.set(alarm, opened);
  return opened;
}

/** Compare two alarms: the latest opened first. */
export function byOpening(a: Alarm, b: Alarm): number {
  if (a.openedAt !== b.openedAt) return openedOf(b) - openedOf(a);
  return a.id < b.id ? 1 : -1;
}

export function rankOf(severity: Alarm["severity"]): number {
  return SEVERITIES.indexOf(severity);
}

/** Return the most serious severity of these. */
export function worstOf(alarms: readonly Pick<Alarm, "severity">[]): Alarm["severity"] {
  return alarms.reduce<Alarm["severity"]>((worst, { severity }) => (rankOf(severity) < rankOf(worst) ? severity : worst), "LOW");
}

/** Return how many of these there are of each severity. */
export function countsOf(alarms: readonly Pick<Alarm, "severity">[]): Partial<Record<Alarm["severity"], number>> {
  const counts: Partial<Record<Alarm["severity"], number>> = {};
  for (const { severity } of alarms) counts[severity] = (counts[severity] ?? 0) + 1;
  return counts;
}
