import { graphql } from "../../api/gen";
import type { RuleInput } from "../../api/gen/graphql";
import { useApi } from "../../api/hooks";
import { type Micros, textOf } from "../../time/instant";
import { useDebounced } from "../../ui/useDebounced";

const TEST = graphql(`
  mutation TestRule($input: RuleInput!, $from: DateTime!, $to: DateTime!) {
    testRule(input: $input, from: $from, to: $to) {
      test {
        events {
          entityId
          beganAt
          openedAt
          clearedAt
          value
          flaps
        }
        entities
        points
        truncated
      }
      errors {
        code
        message
        path
      }
    }
  }
`);

const PAUSE_MS = 600;
// What was measured in a range changes little while a rule is written.
const STALE_MS = 300_000;

/** Try a rule on what was measured in a range, once the typing rests. input: null: it cannot be tried as it is. */
export function usePreview(input: RuleInput | null, from: Micros, to: Micros) {
  // By what it would find alone: a name changes nothing.
  const tried = input === null ? null : { ...input, name: "preview", isActive: true };
  const key = useDebounced(JSON.stringify(tried), PAUSE_MS);
  const requested = JSON.parse(key) as RuleInput | null;
  const answer = useApi(
    TEST,
    { input: requested as RuleInput, from: textOf(from), to: textOf(to) },
    { enabled: requested !== null, keep: () => true, staleMs: STALE_MS },
  );
  const payload = answer.data?.testRule;
  const isCurrent = tried !== null && key === JSON.stringify(tried) && !answer.isPlaceholderData;
  return {
    test: payload?.test ?? null,
    /** What was refused of the rule as it is now. */
    faults: isCurrent ? [...(payload?.errors ?? []), ...(answer.error?.faults ?? []), ...answer.faults] : [],
    isPending: tried !== null && (!isCurrent || answer.isFetching),
    isStale: !isCurrent,
    retry: answer.refetch,
  };
}
