import { correctedOf } from "../alarms/past";
import { type Micros, microsOf } from "../time/instant";
import type { EventOfRange } from "./items";

/**
 * Return events as they were known at an instant, each once: without those that were found out later, and with the
 * times that they had before later corrections. What was withdrawn later had happened, as far as was known.
 */
export function eventsThen(events: readonly EventOfRange[], knownAt: Micros): EventOfRange[] {
  return [...new Map(events.map((event) => [event.id, event])).values()].flatMap((event) => {
    if (microsOf(event.detectedAt) > knownAt) return [];
    const first = (event.corrections ?? [])
      .filter((correction) => microsOf(correction.recordedAt) > knownAt)
      .toSorted((a, b) => microsOf(a.recordedAt) - microsOf(b.recordedAt))[0];
    const before = first === undefined ? {} : correctedOf(first.before);
    return [
      {
        ...event,
        openedAt: before.openedAt ?? event.openedAt,
        clearedAt: "clearedAt" in before ? (before.clearedAt ?? null) : (event.clearedAt ?? null),
        withdrawnAt: event.withdrawnAt && microsOf(event.withdrawnAt) <= knownAt ? event.withdrawnAt : null,
      },
    ];
  });
}
