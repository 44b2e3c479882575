import { endsOf } from "../entities/above";
import { SEVERITIES, type Severity } from "../ui/Tags";

/** How many alarms are open at an entity and below it, and the most serious of them. */
export type AlarmCount = { count: number; worst: Severity };

type OpenAlarm = { severity: Severity; entity: { id: string } };
type UpEdge = { relationship: string; source: { id: string }; target: { id: string } };

/**
 * Return the open alarms of every entity that has some, at itself or below it.
 *
 * edges: those of a traversal from the entities of the alarms up. One that is in something by several ways counts once.
 */
export function alarmsBelow(alarms: readonly OpenAlarm[], edges: readonly UpEdge[]): Map<string, AlarmCount> {
  const above = new Map<string, Set<string>>();
  for (const edge of edges) {
    const ends = endsOf(edge);
    const ids = above.get(ends.below.id);
    if (ids) ids.add(ends.above.id);
    else above.set(ends.below.id, new Set([ends.above.id]));
  }
  const counts = new Map<string, AlarmCount>();
  for (const alarm of alarms) {
    for (const id of reached(above, alarm.entity.id)) {
      const before = counts.get(id);
      const isWorse = before === undefined || SEVERITIES.indexOf(alarm.severity) < SEVERITIES.indexOf(before.worst);
      counts.set(id, { count: (before?.count ?? 0) + 1, worst: isWorse ? alarm.severity : before.worst });
    }
  }
  return counts;
}

function reached(above: ReadonlyMap<string, ReadonlySet<string>>, start: string): Set<string> {
  const ids = new Set([start]);
  // A set is walked in the order of insertion, what is added on the way too.
  for (const id of ids) for (const next of above.get(id) ?? []) ids.add(next);
  return ids;
}
