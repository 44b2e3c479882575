import type { Fault } from "../api/request";
import { textOf } from "../time/instant";
import type { Moment } from "../time/moment";

/**
 * Return what was recorded of an entity by the moment shown, of its `asRecorded`.
 *
 * null: nothing was, or another moment than "What we saw then" is shown. undefined: it is not answered, or not yet; the
 * answer at hand may be of the moment before.
 */
export function recordAt<R>(
  mode: Moment["mode"],
  answer: { isPlaceholderData: boolean; faults: readonly Fault[] },
  recorded: R | null | undefined,
): R | null | undefined {
  if (mode !== "seen") return null;
  const isRefused = answer.faults.some((fault) => fault.path.includes("asRecorded"));
  return answer.isPlaceholderData || isRefused ? undefined : recorded;
}

/** Return the variables of `asRecorded(at: $at) @include(if: $isSeen)`. `at` needs a value where it is left out, too. */
export function recordVariables(moment: Moment): { at: string; isSeen: boolean } {
  return { at: textOf(moment.mode === "live" ? 0 : moment.at), isSeen: moment.mode === "seen" };
}
