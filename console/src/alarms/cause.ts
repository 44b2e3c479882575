/** A change as the audit trail has it, as far as a cause is looked for in it. */
export type ChangeOfTrail = {
  recordedAt: string;
  actor: string;
  action: string;
  before?: unknown;
  after?: unknown;
  reason?: string | null;
  subject?: {
    __typename: string;
    id: string;
    relationship?: string;
    source?: { id: string; name: string };
    target?: { id: string; name: string };
  } | null;
};

/** isOfLink: of a link; else of the rule. */
type Cause = { isOfLink: boolean; text: string; actor: string; at: string; reason: string | null };

// Links over which readings or what is below something are found; others explain no event.
const OF_PERSONS = new Set(["ASSIGNED_TO", "TARGETS"]);
// A change that is valid only from about when it was recorded does not reach back to what was found before.
const REACH_MS = 5_000;

const DONE: Record<string, string> = { created: "was created", ended: "was ended", corrected: "was corrected", retracted: "was retracted" };

function recordOf(side: unknown): Record<string, unknown> {
  return typeof side === "object" && side !== null ? (side as Record<string, unknown>) : {};
}

function idsOf(side: unknown): string[] {
  const record = recordOf(side);
  return [record.sourceId, record.targetId, record.source_id, record.target_id].filter((id) => typeof id === "string");
}

/** Whether a change of a link says something of the time before it was recorded. */
function reachesBack(change: ChangeOfTrail): boolean {
  const [before, after] = [recordOf(change.before), recordOf(change.after)];
  const changed = ["validFrom", "validUntil"].flatMap((name) => (before[name] === after[name] ? [] : [before[name], after[name]]));
  const instants = changed.filter((at) => typeof at === "string").map((at) => Date.parse(at));
  return change.action === "retracted" || instants.some((at) => at < Date.parse(change.recordedAt) - REACH_MS);
}

/**
 * Return the newest change that explains a correction of an event; null: there is none among these.
 *
 * near: the event's entity and what belongs to it. Changes come newest first. A link explains more than the rule.
 */
export function causeOf(changes: readonly ChangeOfTrail[], { near, ruleId }: { near: ReadonlySet<string>; ruleId: string | null }): Cause | null {
  const cause = (change: ChangeOfTrail, isOfLink: boolean, text: string): Cause => ({ isOfLink, text, actor: change.actor, at: change.recordedAt, reason: change.reason ?? null });
  for (const change of changes) {
    const ends = [...idsOf(change.before), ...idsOf(change.after), change.subject?.source?.id, change.subject?.target?.id];
    const { subject } = change;
    if (!ends.some((id) => id !== undefined && near.has(id))) continue;
    if (OF_PERSONS.has(subject?.relationship ?? String(recordOf(change.after).relationship)) || !reachesBack(change)) continue;
    const done = DONE[change.action] ?? `was ${change.action}`;
    const names = subject?.source && subject.target ? ` between ${subject.source.name} and ${subject.target.name}` : "";
    return cause(change, true, `a link${names} ${done}`);
  }
  for (const change of changes) {
    if (ruleId !== null && change.subject?.id === ruleId) return cause(change, false, `the rule was ${change.action}`);
  }
  return null;
}
