import type { Condition, EscalationStep, FlapDamping, RuleAction, RuleInput, RuleScope } from "../api/gen/graphql";
import type { RuleContent } from "./content";

/** Return the input that writes what a version says, e.g. to disable a rule and leave the rest. */
export function inputOfVersion(name: string, content: RuleContent): RuleInput {
  return {
    name,
    condition: content.condition as Condition,
    scope: content.scope as RuleScope,
    severity: content.severity,
    action: content.action as RuleAction,
    escalation: content.escalation as EscalationStep[],
    damping: content.damping as FlapDamping,
    isActive: content.isActive,
  };
}
