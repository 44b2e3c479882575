import { type Alarm, byOpening } from "./alarm";

/** A state of an alarm that was pushed. at: when it came, by this page's clock that never goes back. */
export type Update = { alarm: Alarm; at: number };
export type Updates = ReadonlyMap<string, Update>;

/**
 * Return the alarms of an answer as the updates since have them.
 *
 * An update that is still here is newer than the answer, whatever its state: an alarm can reopen. One that crossed the
 * answer on its way may be older by a moment; then what changed in between is pushed, too, and comes after it.
 */
export function withUpdates(nodes: readonly Alarm[], updates: Updates): Map<string, Alarm> {
  const alarms = new Map(nodes.map((node) => [node.id, node]));
  for (const [id, { alarm }] of updates) alarms.set(id, alarm);
  return alarms;
}

/**
 * Return the updates that a new answer does not replace. requestedAt: when it was requested.
 *
 * An answer that was requested after an update came is newer. It replaces the update of an alarm that it holds, and of one
 * that it would hold if that still belonged to the list: one no older than its last.
 */
export function unanswered(updates: Updates, nodes: readonly Alarm[], isComplete: boolean, requestedAt: number): Updates {
  const ids = new Set(nodes.map((node) => node.id));
  const last = nodes.at(-1);
  const isReplaced = ({ alarm, at }: Update) =>
    at < requestedAt && (ids.has(alarm.id) || isComplete || (last !== undefined && byOpening(alarm, last) < 0));
  const left = [...updates].filter(([, update]) => !isReplaced(update));
  return left.length === updates.size ? updates : new Map(left);
}
