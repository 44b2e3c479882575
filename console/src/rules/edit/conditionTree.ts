import { type ConditionDraft, type ConditionKind, conditionBegin, type GroupDraft, nextKey } from "./draft";

/** The API nests conditions at most so deep, and takes at most so many parts. */
export const DEPTH_MAX = 4;
export const PARTS_MAX = 20;

export function isGroup(condition: ConditionDraft): condition is GroupDraft {
  return condition.kind === "allOf" || condition.kind === "anyOf";
}

/** Return the number of conditions that are no groups. */
export function partsOf(condition: ConditionDraft): number {
  return isGroup(condition) ? condition.parts.reduce((sum, part) => sum + partsOf(part), 0) : 1;
}

/** Return a condition joined with a new one: at the end of its group where that is joined by the same word. */
export function joined(condition: ConditionDraft, kind: GroupDraft["kind"]): GroupDraft {
  const next = conditionBegin("threshold");
  if (isGroup(condition) && condition.kind === kind) return { ...condition, parts: [...condition.parts, next] };
  return { kind, key: nextKey(), parts: [condition, next] };
}

/** Return a group without a part; with one left it is that part, and without any null. */
export function without(group: GroupDraft, key: number): ConditionDraft | null {
  const parts = group.parts.filter((part) => part.key !== key);
  if (parts.length > 1) return { ...group, parts };
  return parts[0] ?? null;
}

/** Return a condition of another kind; the metric that it reads stays where the new kind reads one. */
export function ofKind(condition: ConditionDraft, kind: ConditionKind): ConditionDraft {
  const next = conditionBegin(kind);
  const metric = "metric" in condition ? condition.metric : "";
  if (next.kind === "threshold" || next.kind === "noData") return { ...next, key: condition.key, metric };
  if (next.kind === "expression") return { ...next, key: condition.key, expression: /^[A-Za-z_]\w*$/.test(metric) ? `${metric} > ` : "" };
  return next;
}
