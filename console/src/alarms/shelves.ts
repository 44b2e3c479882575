import { type Micros, microsOf } from "../time/instant";
import type { Alarm } from "./alarm";

/** A shelf: while it lasts, events of its rule, at its entity, or both, notify nobody. Null: any. */
export type Shelf = {
  id: string;
  from: string;
  to: string;
  note?: string | null;
  actor: string;
  rule?: { id: string; name: string } | null;
  entity?: { id: string; kind: string; name: string } | null;
};

/** Return the shelves that last at an instant, the one that ends first before the others. */
export function shelvesAt<S extends Shelf>(shelves: readonly S[], at: Micros): S[] {
  return shelves.filter((shelf) => microsOf(shelf.from) <= at && at < microsOf(shelf.to)).sort((a, b) => microsOf(a.to) - microsOf(b.to));
}

/**
 * Return the alarm as shelved where one of these shelves covers it.
 *
 * The API calls an event suppressed that has been shelved ever since it opened; one that was shelved later is as quiet.
 */
export function withShelves(alarm: Alarm, shelves: readonly Pick<Shelf, "rule" | "entity">[]): Alarm {
  if (alarm.suppressed) return alarm;
  const isCovered = shelves.some(
    (shelf) => (!shelf.rule || shelf.rule.id === alarm.rule?.id) && (!shelf.entity || shelf.entity.id === alarm.entity.id),
  );
  return isCovered ? { ...alarm, suppressed: true } : alarm;
}
