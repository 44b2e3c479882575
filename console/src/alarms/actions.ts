import type { QueryClient } from "@tanstack/react-query";
import type { TypedDocumentString } from "../api/gen/graphql";
import type { EventFilter } from "../api/gen/graphql";
import { type Fault, RequestError, request } from "../api/request";
import { now, textOf } from "../time/instant";
import type { Alarm } from "./alarm";
import * as documents from "./marks";

/** What was done to several alarms: to how many, and what was refused of the others. */
export type Outcome = { done: number; refused: Fault[] };

const AT_ONCE = 4;

type Refusals = { errors: readonly { code: string; message: string; path: readonly string[] }[] };

async function send<T, V, P extends Refusals>(document: TypedDocumentString<T, V>, variables: V, payloadOf: (data: T) => P): Promise<P> {
  const answer = await request(document, variables);
  const payload = payloadOf(answer.data);
  if (payload.errors.length > 0) throw new RequestError(payload.errors.map((error) => ({ ...error })), 200);
  return payload;
}

/** Do one thing to each alarm, a few at once. What is refused of one does not keep the others back. */
async function each(alarms: readonly Alarm[], run: (alarm: Alarm) => Promise<unknown>): Promise<Outcome> {
  const outcome: Outcome = { done: 0, refused: [] };
  const queue = [...alarms];
  const work = async (): Promise<void> => {
    for (let alarm = queue.shift(); alarm !== undefined; alarm = queue.shift()) {
      try {
        await run(alarm);
        outcome.done++;
      } catch (error) {
        const faults = error instanceof RequestError ? error.faults : [{ code: "INTERNAL", message: String(error), path: [] }];
        const name = `${alarm.rule?.name ?? "Alarm"} at ${alarm.entity.name}`;
        outcome.refused.push(...faults.map((fault) => ({ ...fault, message: `${name}: ${fault.message}` })));
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return outcome;
}

export function acknowledge(alarms: readonly Alarm[], note: string | null): Promise<Outcome> {
  return each(alarms, ({ id }) => send(documents.ACKNOWLEDGE, { id, note }, (data) => data.acknowledgeEvent));
}

export function dismiss(alarms: readonly Alarm[], note: string | null): Promise<Outcome> {
  return each(alarms, ({ id }) => send(documents.DISMISS, { id, note }, (data) => data.dismissEvent));
}

export function comment(alarms: readonly Alarm[], note: string): Promise<Outcome> {
  return each(alarms, ({ id }) => send(documents.COMMENT, { id, note }, (data) => data.commentEvent));
}

/** Acknowledge or dismiss all alarms of a filter: one request. dryRun: only say how many it would change. */
export async function markAll(
  what: "acknowledge" | "dismiss",
  filter: EventFilter,
  note: string | null,
  dryRun: boolean,
): Promise<{ matched: number; changed: number }> {
  const variables = { filter, note, dryRun };
  return what === "acknowledge"
    ? send(documents.ACKNOWLEDGE_ALL, variables, (data) => data.acknowledgeEvents)
    : send(documents.DISMISS_ALL, variables, (data) => data.dismissEvents);
}

export type ShelfScope = "both" | "rule" | "entity";

/** Shelve what the alarms are of: one shelf for each pair of rule and entity, each rule, or each entity. */
export function shelve(alarms: readonly Alarm[], scope: ShelfScope, lengthMs: number, note: string | null): Promise<Outcome> {
  const to = textOf(now() + lengthMs * 1000);
  const keys = new Map<string, Alarm>();
  for (const alarm of alarms) {
    const ids = { both: `${alarm.rule?.id} ${alarm.entity.id}`, rule: alarm.rule?.id ?? "", entity: alarm.entity.id };
    keys.set(ids[scope], alarm);
  }
  return each([...keys.values()], (alarm) =>
    send(
      documents.SHELVE,
      {
        to,
        ruleId: scope === "entity" ? null : (alarm.rule?.id ?? null),
        entityId: scope === "rule" ? null : alarm.entity.id,
        note,
      },
      (data) => data.shelveEvents,
    ),
  );
}

export type Work = { templateId: string } | { name: string; priority: string; dueAt: string | null; description: string };

/** Create one activity about the entities of the alarms; return its name. */
export async function createWork(alarms: readonly Alarm[], work: Work): Promise<{ id: string; name: string }> {
  const targets = [...new Set(alarms.map((alarm) => alarm.entity.id))];
  if ("templateId" in work) {
    const variables = { templateId: work.templateId, targetIds: targets };
    const payload = await send(documents.CREATE_WORK_FROM_TEMPLATE, variables, (data) => data.createActivityFromTemplate);
    return payload.activity ?? { id: "", name: "The work order" };
  }
  const { name, priority, dueAt, description } = work;
  const attributes = description === "" ? null : { description };
  const created = await send(documents.CREATE_WORK, { input: { name, priority, dueAt, attributes } }, (data) => data.createActivity);
  const activity = created.activity;
  if (activity == null) return { id: "", name };
  for (const targetId of targets) {
    await send(documents.TARGET_WORK, { activityId: activity.id, targetId }, (data) => data.createEdge);
  }
  return activity;
}

/** Have every answer count as old after an action. */
export function afterAction(client: QueryClient): void {
  void client.invalidateQueries();
}
