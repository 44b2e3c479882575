import type { Condition, EntityKind, RuleInput, RuleScope, ThresholdCondition } from "../../api/gen/graphql";
import type { Fault } from "../../api/request";
import type { Severity } from "../../ui/Tags";
import { actionOf, dampingOf, type RuleContent, scopeOf, stepsOf } from "../content";
import { type DurationDraft, durationDraft, isoOf, NO_DURATION } from "./durationDraft";

export type Operator = ThresholdCondition["operator"];
export type ThresholdDraft = {
  kind: "threshold";
  key: number;
  metric: string;
  operator: Operator;
  value: string;
  for: DurationDraft;
  /** Empty: it clears at the value itself. */
  clearValue: string;
  clearFor: DurationDraft;
};
export type NoDataDraft = { kind: "noData"; key: number; metric: string; after: DurationDraft; everHeard: boolean };
export type ExpressionDraft = { kind: "expression"; key: number; expression: string };
export type GroupDraft = { kind: "allOf" | "anyOf"; key: number; parts: readonly ConditionDraft[] };
/** A condition as it is typed. key: names it for as long as the form is open. */
export type ConditionDraft = ThresholdDraft | NoDataDraft | ExpressionDraft | GroupDraft;
export type ConditionKind = ConditionDraft["kind"];

export type ScopeKind = "all" | "type" | "under" | "group" | "entity" | "profile";
/** What a rule is to be about. id: of what is named by its id. */
export type ScopeDraft = { by: ScopeKind; entityKind: EntityKind; type: string; id: string };

export type StepDraft = { key: number; after: DurationDraft; severity: Severity };

/** A rule as it is typed: numbers and lengths of time are texts until it is sent. */
export type RuleDraft = {
  name: string;
  condition: ConditionDraft;
  scope: ScopeDraft;
  severity: Severity;
  escalation: readonly StepDraft[];
  templateId: string;
  webhookUrl: string;
  maxEvents: string;
  per: DurationDraft;
  isActive: boolean;
};

let keys = 0;

export function nextKey(): number {
  keys += 1;
  return keys;
}

export function conditionBegin(kind: ConditionKind): ConditionDraft {
  const key = nextKey();
  switch (kind) {
    case "threshold":
      return { kind, key, metric: "", operator: "GT", value: "", for: { count: "5", unit: "M" }, clearValue: "", clearFor: NO_DURATION };
    case "noData":
      return { kind, key, metric: "", after: { count: "15", unit: "M" }, everHeard: true };
    case "expression":
      return { kind, key, expression: "" };
    default:
      return { kind, key, parts: [conditionBegin("threshold")] };
  }
}

export function draftBegin(): RuleDraft {
  return {
    name: "",
    condition: conditionBegin("threshold"),
    scope: { by: "all", entityKind: "ASSET", type: "", id: "" },
    severity: "MEDIUM",
    escalation: [],
    templateId: "",
    webhookUrl: "",
    maxEvents: "12",
    per: { count: "1", unit: "H" },
    isActive: true,
  };
}

/** Return the draft of a rule that exists. */
export function draftOf(name: string, content: RuleContent): RuleDraft {
  const action = actionOf(content);
  const damping = dampingOf(content);
  return {
    name,
    condition: conditionDraftOf(content.condition as Condition),
    scope: scopeDraftOf(content),
    severity: content.severity,
    escalation: stepsOf(content).map((step) => ({ key: nextKey(), after: durationDraft(step.after), severity: step.severity })),
    templateId: action.createActivityFromTemplateId ?? "",
    webhookUrl: action.webhookUrl ?? "",
    maxEvents: String(damping.maxEvents),
    per: durationDraft(damping.per),
    isActive: content.isActive,
  };
}

function conditionDraftOf(condition: Condition): ConditionDraft {
  const key = nextKey();
  const { threshold, noData, expression, allOf, anyOf } = condition;
  if (threshold) {
    const { metric, operator, value, clearValue } = threshold;
    return {
      kind: "threshold",
      key,
      metric,
      operator,
      value: String(value),
      for: durationDraft(threshold.for ?? "PT0S"),
      clearValue: clearValue === null || clearValue === undefined ? "" : String(clearValue),
      clearFor: durationDraft(threshold.clearFor ?? "PT0S"),
    };
  }
  if (noData) return { kind: "noData", key, metric: noData.metric, after: durationDraft(noData.after), everHeard: noData.everHeard ?? true };
  if (typeof expression === "string") return { kind: "expression", key, expression };
  return { kind: allOf ? "allOf" : "anyOf", key, parts: (allOf ?? anyOf ?? []).map(conditionDraftOf) };
}

function scopeDraftOf(content: Pick<RuleContent, "scope">): ScopeDraft {
  const scope = scopeOf(content);
  const nothing: ScopeDraft = { by: "all", entityKind: "ASSET", type: "", id: "" };
  if (scope.entityId) return { ...nothing, by: "entity", id: scope.entityId };
  if (scope.underId) return { ...nothing, by: "under", id: scope.underId };
  if (scope.groupId) return { ...nothing, by: "group", id: scope.groupId };
  if (scope.profileId) return { ...nothing, by: "profile", id: scope.profileId };
  if (scope.type) return { ...nothing, by: "type", entityKind: (scope.kind ?? "ASSET") as EntityKind, type: scope.type };
  return nothing;
}

/** A rule as the API takes it, or what is missing for that, each at the path at which the API would say it. */
export type Read = { input: RuleInput; missing: readonly [] } | { input: null; missing: readonly Fault[] };

/** Return a draft as the API takes it. */
export function inputOf(draft: RuleDraft): Read {
  const missing: Fault[] = [];
  const lack = (message: string, ...path: (string | number)[]) => {
    missing.push({ code: "MISSING", message, path: ["input", ...path.map(String)] });
  };
  const number = (text: string, ...path: (string | number)[]): number => {
    const value = Number(text.trim().replace(",", "."));
    if (text.trim() === "" || !Number.isFinite(value)) lack("A number is needed here.", ...path);
    return value;
  };
  const duration = (value: DurationDraft, isNeeded: boolean, ...path: (string | number)[]): string => {
    const text = isoOf(value);
    if (text === null || (isNeeded && text === "PT0S")) lack("A length of time is needed here.", ...path);
    return text ?? "PT0S";
  };
  const metric = (name: string, ...path: (string | number)[]): string => {
    if (name.trim() === "") lack("Choose a metric.", ...path);
    return name.trim();
  };
  const condition = (part: ConditionDraft, ...path: (string | number)[]): Condition => {
    switch (part.kind) {
      case "threshold": {
        const here = [...path, "threshold"];
        const threshold: ThresholdCondition = {
          metric: metric(part.metric, ...here, "metric"),
          operator: part.operator,
          value: number(part.value, ...here, "value"),
          for: duration(part.for, false, ...here, "for"),
          clearFor: duration(part.clearFor, false, ...here, "clearFor"),
        };
        if (part.clearValue.trim() !== "") threshold.clearValue = number(part.clearValue, ...here, "clearValue");
        return { threshold };
      }
      case "noData":
        return {
          noData: {
            metric: metric(part.metric, ...path, "noData", "metric"),
            after: duration(part.after, true, ...path, "noData", "after"),
            ...(part.everHeard ? {} : { everHeard: false }),
          },
        };
      case "expression":
        if (part.expression.trim() === "") lack("Type an expression, e.g. supply - return > 20.0", ...path, "expression");
        return { expression: part.expression };
      case "allOf":
        return { allOf: part.parts.map((inner, place) => condition(inner, ...path, "allOf", place)) };
      default:
        return { anyOf: part.parts.map((inner, place) => condition(inner, ...path, "anyOf", place)) };
    }
  };
  if (draft.name.trim() === "") lack("Give the rule a name.", "name");
  const input: RuleInput = {
    name: draft.name.trim(),
    condition: condition(draft.condition, "condition"),
    scope: scope(draft.scope, lack),
    severity: draft.severity,
    isActive: draft.isActive,
    escalation: draft.escalation.map((step, place) => ({ after: duration(step.after, true, "escalation", place, "after"), severity: step.severity })),
    action: {
      ...(draft.templateId === "" ? {} : { createActivityFromTemplateId: draft.templateId }),
      ...(draft.webhookUrl.trim() === "" ? {} : { webhookUrl: draft.webhookUrl.trim() }),
    },
    damping: { maxEvents: Math.trunc(number(draft.maxEvents, "damping", "maxEvents")), per: duration(draft.per, true, "damping", "per") },
  };
  return missing.length === 0 ? { input, missing: [] } : { input: null, missing };
}

const SCOPE_FIELDS = { under: "underId", group: "groupId", entity: "entityId", profile: "profileId" } as const;

function scope({ by, entityKind, type, id }: ScopeDraft, lack: (message: string, ...path: string[]) => void): RuleScope {
  if (by === "all") return {};
  if (by === "type") {
    if (type.trim() === "") lack("Choose a type.", "scope", "type");
    return { kind: entityKind, type: type.trim() };
  }
  const field = SCOPE_FIELDS[by];
  if (id === "") lack("Choose what the rule is about.", "scope", field);
  return { [field]: id };
}

/** Return what keeps a draft from being tested: its name does not. */
export function testable(draft: RuleDraft): RuleInput | null {
  return inputOf({ ...draft, name: draft.name.trim() === "" ? "preview" : draft.name }).input;
}
