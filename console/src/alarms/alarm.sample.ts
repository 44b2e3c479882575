import { textOf } from "../time/instant";
import type { Alarm } from "./alarm";

/** An alarm for tests: it opened so many seconds after the epoch, at one of three assets. */
export function alarm(number: number, part: Partial<Alarm> = {}): Alarm {
  return {
    id: `e${number}`,
    state: "OPEN",
    severity: "LOW",
    beganAt: textOf(number * 1e6),
    openedAt: textOf(number * 1e6),
    clearedAt: null,
    detectedAt: textOf(number * 1e6),
    withdrawnAt: null,
    acknowledgedAt: null,
    dismissedAt: null,
    value: null,
    flaps: 0,
    suppressed: false,
    rule: { id: "r", name: "Rule" },
    entity: { id: `a${number % 3}`, kind: "ASSET", name: `Asset ${number % 3}`, type: null },
    ...part,
  };
}
