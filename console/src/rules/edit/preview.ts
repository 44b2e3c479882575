import type { TestRuleMutation } from "../../api/gen/graphql";
import { type Micros, microsOf } from "../../time/instant";

type Test = NonNullable<TestRuleMutation["testRule"]["test"]>;
export type Tried = Test["events"][number];
/** The alarms that a rule would have opened at an entity: as drafted, and as the version in force has it. */
export type EntityEpisodes = { entityId: string; drafted: readonly Tried[]; inForce: readonly Tried[] };

/** Return the episodes by entity: those with the most alarms first, as drafted and then as in force. */
export function byEntity(drafted: readonly Tried[], inForce: readonly Tried[]): EntityEpisodes[] {
  const entities = new Map<string, { drafted: Tried[]; inForce: Tried[] }>();
  const add = (events: readonly Tried[], which: "drafted" | "inForce") => {
    for (const event of events) {
      const known = entities.get(event.entityId) ?? { drafted: [], inForce: [] };
      known[which].push(event);
      entities.set(event.entityId, known);
    }
  };
  add(drafted, "drafted");
  add(inForce, "inForce");
  return [...entities]
    .map(([entityId, episodes]) => ({ entityId, ...episodes }))
    .sort((a, b) => b.drafted.length - a.drafted.length || b.inForce.length - a.inForce.length || (a.entityId < b.entityId ? -1 : 1));
}

const DAY_US = 86_400e6;
const FLEETING_US = 60e6;
// ISA-18.2 counts on some six alarms an hour for all that an operator looks after; one entity that has as many in a day is noise.
const PER_DAY_MOST = 6;

/** Return why a rule would be a nuisance, in sentences; empty: it would not. */
export function noiseOf(events: readonly Tried[], entities: number, from: Micros, to: Micros): string[] {
  const warnings: string[] = [];
  const firing = byEntity(events, []);
  const days = Math.max((to - from) / DAY_US, 1 / 24);
  const worst = firing[0]?.drafted.length ?? 0;
  if (worst / days > PER_DAY_MOST) {
    warnings.push(`It is noisy: up to ${Math.round(worst / days)} alarms a day at one entity. A longer “for”, or a value to clear at, would open fewer.`);
  }
  const fleeting = events.filter((event) => event.clearedAt && microsOf(event.clearedAt) - microsOf(event.openedAt) < FLEETING_US).length;
  if (events.length >= 4 && fleeting > events.length / 2) {
    warnings.push(`${fleeting} of ${events.length} alarms would last less than a minute: nobody could act on them.`);
  }
  const merged = events.reduce((sum, event) => sum + event.flaps, 0);
  if (merged > 0) warnings.push(`It flaps: ${merged} further alarms would be merged into those before them.`);
  if (entities > 1 && firing.length > entities / 2) {
    warnings.push(`It would open at ${firing.length} of ${entities} entities: a threshold that most of them pass says little.`);
  }
  return warnings;
}

/** Return where an episode lies in a range, in percent of it; one that is open reaches to its end. */
export function bandOf(event: Tried, from: Micros, to: Micros): { left: number; width: number } {
  const begins = Math.max(microsOf(event.openedAt), from);
  const ends = event.clearedAt ? Math.min(microsOf(event.clearedAt), to) : to;
  return { left: (100 * (begins - from)) / (to - from), width: Math.max(0, (100 * (ends - begins)) / (to - from)) };
}
