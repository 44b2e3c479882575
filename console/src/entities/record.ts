import type { Fault } from "../api/request";
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
