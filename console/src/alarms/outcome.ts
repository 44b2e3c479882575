import type { Fault } from "../api/request";
import type { Alarm } from "./alarm";

/** What was done to several alarms: to how many, what was refused, and which of them are left to try again. undo: the way back, where there is one. */
export type Outcome = { done: number; refused: Fault[]; left: Alarm[]; undo?: () => Promise<unknown> };

type Refusal = { code: string; message: string; path: readonly string[] };

const AT_ONCE = 4;

/** Return what an error says: of a request its refusals, else that something failed here. */
export function faultsOf(error: unknown): Fault[] {
  const faults = typeof error === "object" && error !== null && "faults" in error ? error.faults : null;
  return Array.isArray(faults) ? (faults as Fault[]) : [{ code: "INTERNAL", message: String(error), path: [] }];
}

function nameOf(alarm: Alarm): string {
  return `${alarm.rule?.name ?? "Alarm"} at ${alarm.entity.name}`;
}

/** Do one thing to each alarm, a few at once. What is refused of one does not keep the others back. */
export async function forEach(alarms: readonly Alarm[], run: (alarm: Alarm) => Promise<unknown>): Promise<Outcome> {
  const outcome: Outcome = { done: 0, refused: [], left: [] };
  const queue = [...alarms];
  const work = async (): Promise<void> => {
    for (let alarm = queue.shift(); alarm !== undefined; alarm = queue.shift()) {
      try {
        await run(alarm);
        outcome.done++;
      } catch (error) {
        const name = nameOf(alarm);
        outcome.left.push(alarm);
        outcome.refused.push(...faultsOf(error).map((fault) => ({ ...fault, message: `${name}: ${fault.message}` })));
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return outcome;
}

/** Return what one request did to these alarms: a refusal whose path ends with an alarm's id is of that alone. */
export function outcomeOf(alarms: readonly Alarm[], refusals: readonly Refusal[]): Outcome {
  const byId = new Map(alarms.map((alarm) => [alarm.id, alarm]));
  const left = new Set<Alarm>();
  const refused = refusals.map((refusal): Fault => {
    const alarm = byId.get(refusal.path.at(-1) ?? "");
    // A refusal of none in particular is one of the whole request.
    for (const one of alarm === undefined ? alarms : [alarm]) left.add(one);
    return { ...refusal, message: alarm === undefined ? refusal.message : `${nameOf(alarm)}: ${refusal.message}` };
  });
  return { done: alarms.length - left.size, refused, left: [...left] };
}

/** Return two outcomes as one. */
export function together(a: Outcome, b: Outcome): Outcome {
  return { done: a.done + b.done, refused: [...a.refused, ...b.refused], left: [...a.left, ...b.left] };
}
