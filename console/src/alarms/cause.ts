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

export type Cause = { text: string; actor: string; at: string; reason: string | null };

const DONE: Record<string, string> = { created: "was created", ended: "was ended", corrected: "was corrected", retracted: "was retracted" };

function idsOf(side: unknown): string[] {
  if (typeof side !== "object" || side === null) return [];
  const record = side as Record<string, unknown>;
  return [record.sourceId, record.targetId, record.source_id, record.target_id].filter((id) => typeof id === "string");
}

/**
 * Return the newest change that explains a correction of an event; null: there is none among these.
 *
 * near: the event's entity and what belongs to it. Changes come newest first. A link explains more than the rule.
 */
export function causeOf(changes: readonly ChangeOfTrail[], { near, ruleId }: { near: ReadonlySet<string>; ruleId: string | null }): Cause | null {
  const cause = (change: ChangeOfTrail, text: string): Cause => ({ text, actor: change.actor, at: change.recordedAt, reason: change.reason ?? null });
  for (const change of changes) {
    const ends = [...idsOf(change.before), ...idsOf(change.after), change.subject?.source?.id, change.subject?.target?.id];
    if (!ends.some((id) => id !== undefined && near.has(id))) continue;
    const { subject } = change;
    const done = DONE[change.action] ?? `was ${change.action}`;
    const names = subject?.source && subject.target ? ` between ${subject.source.name} and ${subject.target.name}` : "";
    return cause(change, `a link${names} ${done}`);
  }
  for (const change of changes) {
    if (ruleId !== null && change.subject?.id === ruleId) return cause(change, `the rule was ${change.action}`);
  }
  return null;
}
