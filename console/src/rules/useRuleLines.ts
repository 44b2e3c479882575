import { useMemo } from "react";
import { graphql } from "../api/gen";
import { useApi } from "../api/hooks";
import { coordinatesOf } from "../time/moment";
import { useMoment } from "../time/useMoment";
import { type ConditionLine, conditionLines } from "./condition";

const RULES = graphql(`
  query RulesInForce($id: ID!, $asOf: DateTime, $knownAt: DateTime) {
    rulesInForce(entityId: $id, asOf: $asOf, knownAt: $knownAt) {
      rule {
        id
        name
      }
      condition
      severity
    }
  }
`);

/**
 * The thresholds of the rules that evaluate an entity at the moment that is shown, as lines for its charts. One request.
 *
 * By every sort of scope, and by the versions in force then: a threshold that was changed since is drawn as it was.
 */
export function useRuleLines(entityId: string): ConditionLine[] {
  const { data } = useRulesInForce(entityId);
  return useMemo(
    () =>
      (data?.rulesInForce ?? []).flatMap(({ rule, condition }) =>
        conditionLines(condition).map((line) => ({ ...line, label: `${rule.name}: ${line.label}` })),
      ),
    [data],
  );
}

/** The rules that evaluate an entity at the moment that is shown, by whichever sort of scope. One request. */
export function useRulesInForce(entityId: string) {
  const { moment } = useMoment();
  return useApi(RULES, { id: entityId, ...coordinatesOf(moment) }, { staleMs: 60_000 });
}
