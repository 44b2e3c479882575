import { graphql } from "../api/gen";
import type { Fault } from "../api/request";
import { useChange } from "../api/hooks";
import { textOf } from "../time/instant";
import { type ToastAction, undoBy } from "../ui/Toasts";
import type { Interval } from "./effects";

const CORRECT = graphql(`
  mutation CorrectEdge($id: ID!, $validFrom: DateTime!, $validUntil: DateTime, $reason: String) {
    correctEdge(id: $id, validFrom: $validFrom, validUntil: $validUntil, reason: $reason) {
      edge {
        id
      }
      errors {
        code
        message
        path
      }
    }
  }
`);

/** Correct when an edge held; `undo` is the way back, for the message that it was changed. */
export function useCorrectTimes(): {
  run: (edgeId: string, range: Interval, reason: string | null) => Promise<unknown>;
  undo: (edgeId: string, before: Interval) => ToastAction;
  isRunning: boolean;
  faults: Fault[];
} {
  const { run: send, isRunning, faults } = useChange(CORRECT, (data) => data.correctEdge);
  const run = (edgeId: string, range: Interval, reason: string | null) =>
    send({ id: edgeId, validFrom: textOf(range.from), validUntil: range.until === null ? null : textOf(range.until), reason });
  return { run, isRunning, faults, undo: (edgeId, before) => undoBy(() => run(edgeId, before, "Undone")) };
}
