import { type Alarm, byOpening } from "./alarm";

/**
 * The alarms of a list in the order in which they are shown, and how many wait to be shown. gone: ids of those that are
 * shown although they no longer belong to the list.
 */
type Arrangement = { shown: Alarm[]; waiting: number; gone: ReadonlySet<string> };

/**
 * Return the order in which to show alarms, given those that are shown already.
 *
 * isFrozen: somebody points at the list or has the focus in it. Then nothing moves: what is shown stays at its place,
 * also what no longer belongs there or is in no answer; what is older than all of it, from the next page, comes at its
 * end; and what is newer waits. Otherwise all that belongs there is shown, the latest opened first. Pure; N log N.
 */
export function arrange(
  alarms: ReadonlyMap<string, Alarm>,
  belongs: (alarm: Alarm) => boolean,
  before: readonly Alarm[],
  isFrozen: boolean,
): Arrangement {
  const members = [...alarms.values()].filter(belongs).sort(byOpening);
  if (!isFrozen) return { shown: members, waiting: 0, gone: new Set() };
  const shown = before.map((alarm) => alarms.get(alarm.id) ?? alarm);
  const places = new Set(before.map((alarm) => alarm.id));
  const ids = new Set(members.map((alarm) => alarm.id));
  const oldest = shown.toSorted(byOpening).at(-1);
  const others = members.filter((alarm) => !places.has(alarm.id));
  const older = others.filter((alarm) => oldest === undefined || byOpening(oldest, alarm) < 0);
  return {
    shown: [...shown, ...older],
    waiting: others.length - older.length,
    gone: new Set(shown.flatMap((alarm) => (ids.has(alarm.id) ? [] : [alarm.id]))),
  };
}
