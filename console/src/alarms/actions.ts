import type { QueryClient } from "@tanstack/react-query";
import type { TypedDocumentString } from "../api/gen/graphql";
import type { EventFilter } from "../api/gen/graphql";
import { RequestError, request } from "../api/request";
import { now, textOf } from "../time/instant";
import { type Alarm, statesFor } from "./alarm";
import * as documents from "./marks";
import { faultsOf, forEach, type Outcome, outcomeOf, together } from "./outcome";

// A filter of events names at most so many.
const NAMED_MOST = 1_000;

type Refusals = { errors: readonly { code: string; message: string; path: readonly string[] }[] };

async function send<T, V, P extends Refusals>(document: TypedDocumentString<T, V>, variables: V, payloadOf: (data: T) => P): Promise<P> {
  const answer = await request(document, variables);
  const payload = payloadOf(answer.data);
  if (payload.errors.length > 0) throw new RequestError(payload.errors.map((error) => ({ ...error })), 200);
  return payload;
}

export type Mark = "acknowledge" | "dismiss";

/**
 * Acknowledge or dismiss alarms: one request for each thousand of them, in one transaction each.
 *
 * Those to which it would do nothing any more are left out, and count as done: somebody else did it.
 */
export async function mark(what: Mark, alarms: readonly Alarm[], note: string | null): Promise<Outcome> {
  const outcomes: Outcome[] = [];
  for (let start = 0; start < alarms.length; start += NAMED_MOST) {
    const part = alarms.slice(start, start + NAMED_MOST);
    try {
      const payload = await sendMark(what, { ids: part.map(({ id }) => id), states: statesFor(what) }, note, false);
      outcomes.push(outcomeOf(part, payload.errors));
    } catch (error) {
      outcomes.push({ done: 0, refused: faultsOf(error), left: [...part] });
    }
  }
  return outcomes.reduce(together, { done: 0, refused: [], left: [] });
}

export function comment(alarms: readonly Alarm[], note: string): Promise<Outcome> {
  return forEach(alarms, ({ id }) => send(documents.COMMENT, { id, note }, (data) => data.commentEvent));
}

/** Acknowledge or dismiss all alarms of a filter: one request. dryRun: only say how many it would change. */
export async function markAll(what: Mark, filter: EventFilter, note: string | null, dryRun: boolean): Promise<{ matched: number; changed: number }> {
  const payload = await sendMark(what, filter, note, dryRun);
  if (payload.errors.length > 0) throw new RequestError(payload.errors.map((error) => ({ ...error })), 200);
  return payload;
}

async function sendMark(what: Mark, filter: EventFilter, note: string | null, dryRun: boolean) {
  const variables = { filter, note, dryRun };
  return what === "acknowledge"
    ? (await request(documents.ACKNOWLEDGE_ALL, variables)).data.acknowledgeEvents
    : (await request(documents.DISMISS_ALL, variables)).data.dismissEvents;
}

export type ShelfScope = "both" | "rule" | "entity";

/** Shelve what the alarms are of: one shelf for each pair of rule and entity, each rule, or each entity. */
export async function shelve(alarms: readonly Alarm[], scope: ShelfScope, lengthMs: number, note: string | null): Promise<Outcome> {
  const to = textOf(now() + lengthMs * 1000);
  const groups = new Map<string, Alarm[]>();
  for (const alarm of alarms) {
    const keys = { both: `${alarm.rule?.id} ${alarm.entity.id}`, rule: alarm.rule?.id ?? "", entity: alarm.entity.id };
    const group = groups.get(keys[scope]);
    if (group === undefined) groups.set(keys[scope], [alarm]);
    else group.push(alarm);
  }
  const groupOf = new Map([...groups.values()].flatMap((group): [Alarm, Alarm[]][] => (group[0] === undefined ? [] : [[group[0], group]])));
  const shelves: string[] = [];
  const outcome = await forEach([...groupOf.keys()], async (alarm) => {
    const ruleId = scope === "entity" ? null : (alarm.rule?.id ?? null);
    const entityId = scope === "rule" ? null : alarm.entity.id;
    const { shelf } = await send(documents.SHELVE, { to, ruleId, entityId, note }, (data) => data.shelveEvents);
    if (shelf) shelves.push(shelf.id);
  });
  const left = outcome.left.flatMap((alarm) => groupOf.get(alarm) ?? []);
  const undo = () => Promise.all(shelves.map((id) => send(documents.UNSHELVE, { id }, (data) => data.unshelveEvents)));
  return { ...outcome, done: alarms.length - left.length, left, undo };
}

export type Work = { templateId: string } | { name: string; priority: string; dueAt: string | null; description: string };
/** A work order that is being created: what of it is there already, so that a second try does only the rest. */
type BegunWork = { activity: { id: string; name: string } | null; targeted: Set<string> };

export function workBegin(): BegunWork {
  return { activity: null, targeted: new Set() };
}

/** Create one activity about the entities of the alarms, and return its name; `begun` remembers what is done. */
export async function createWork(alarms: readonly Alarm[], work: Work, begun: BegunWork): Promise<string> {
  const targets = [...new Set(alarms.map((alarm) => alarm.entity.id))];
  if ("templateId" in work) {
    const variables = { templateId: work.templateId, targetIds: targets };
    const payload = await send(documents.CREATE_WORK_FROM_TEMPLATE, variables, (data) => data.createActivityFromTemplate);
    return payload.activity?.name ?? "The work order";
  }
  const { name, priority, dueAt, description } = work;
  if (begun.activity === null) {
    const attributes = description === "" ? null : { description };
    const created = await send(documents.CREATE_WORK, { input: { name, priority, dueAt, attributes } }, (data) => data.createActivity);
    if (created.activity == null) return name;
    begun.activity = created.activity;
  }
  for (const targetId of targets) {
    if (begun.targeted.has(targetId)) continue;
    await send(documents.TARGET_WORK, { activityId: begun.activity.id, targetId }, (data) => data.createEdge);
    begun.targeted.add(targetId);
  }
  return begun.activity.name;
}

/** Have every answer count as old after an action. */
export function afterAction(client: QueryClient): void {
  void client.invalidateQueries();
}
