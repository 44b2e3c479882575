import type { Alarm } from "./alarm";
import type { Line } from "./groups";

/**
 * Return the alarms on which an action acts: those selected or else those of the active line, an alarm or a whole group.
 *
 * Both are ids, and only what the list has now counts: what was filtered out or folded into another list since is left alone.
 */
export function targetsOf(
  alarms: readonly Alarm[],
  lines: readonly Line[],
  selectedIds: ReadonlySet<string>,
  activeId: string | null,
): Alarm[] {
  const selected = alarms.filter((alarm) => selectedIds.has(alarm.id));
  if (selected.length > 0) return selected;
  const line = activeId === null ? undefined : lines.find((candidate) => candidate.id === activeId);
  if (line === undefined) return [];
  return line.what === "alarm" ? [line.alarm] : [...line.group.alarms];
}
