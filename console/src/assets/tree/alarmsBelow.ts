import type { Severity } from "../../ui/Tags";

type OpenEvent = { severity: Severity; entityId: string };
export type UpwardEdge = { relationship: string; sourceId: string; targetId: string };
export type AlarmCounts = Partial<Record<Severity, number>>;

/** Return the open events at each entity and at all that is below it, by severity, each event once. */
export function alarmsBelow(events: readonly OpenEvent[], edges: readonly UpwardEdge[]): Map<string, AlarmCounts> {
  const parents = new Map<string, Set<string>>();
  for (const edge of edges) {
    // "Located in" is read upwards; all others lead from the whole to what is below it.
    const [child, parent] = edge.relationship === "LOCATED_IN" ? [edge.sourceId, edge.targetId] : [edge.targetId, edge.sourceId];
    parents.set(child, (parents.get(child) ?? new Set()).add(parent));
  }
  const counts = new Map<string, AlarmCounts>();
  for (const event of events) {
    const seen = new Set<string>([event.entityId]);
    // A set is walked in the order of insertion, what is added meanwhile included.
    for (const id of seen) for (const parent of parents.get(id) ?? []) seen.add(parent);
    for (const id of seen) {
      const alarmCounts = counts.get(id) ?? {};
      alarmCounts[event.severity] = (alarmCounts[event.severity] ?? 0) + 1;
      counts.set(id, alarmCounts);
    }
  }
  return counts;
}
