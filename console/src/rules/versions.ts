import { durationText } from "../time/duration";
import { type Micros, microsOf } from "../time/instant";
import { conditionText } from "./condition";
import { actionOf, dampingOf, type Names, type RuleContent, scopeOf, scopeText, stepsOf } from "./content";

export type Version = RuleContent & { effectiveFrom: string; recordedAt: string };

/**
 * Return the version of a rule that is in force at an instant, by what was recorded until `knownAt`; null: none is.
 *
 * knownAt null: by all that is recorded.
 */
export function versionAt<V extends Pick<Version, "effectiveFrom" | "recordedAt">>(versions: readonly V[], asOf: Micros, knownAt: Micros | null): V | null {
  const known = versions.filter((version) => microsOf(version.effectiveFrom) <= asOf && (knownAt === null || microsOf(version.recordedAt) <= knownAt));
  return known.reduce<V | null>((latest, version) => (latest === null || microsOf(version.effectiveFrom) > microsOf(latest.effectiveFrom) ? version : latest), null);
}

/** What differs between two versions: of which part, before and after, in words. */
type PartChange = { part: string; before: string; after: string };

/** Return what a version changed, part by part, in words. */
export function changesBetween(before: RuleContent, after: RuleContent, names: Names): PartChange[] {
  return PARTS.flatMap(([part, text]) => {
    const [old, next] = [text(before, names), text(after, names)];
    return old === next ? [] : [{ part, before: old, after: next }];
  });
}

const PARTS: readonly [string, (content: RuleContent, names: Names) => string][] = [
  ["When", (content) => conditionText(content.condition)],
  ["On", (content, names) => scopeText(scopeOf(content), names)],
  ["Severity", (content) => content.severity.toLowerCase()],
  ["Escalation", escalationText],
  ["Then", actionText],
  ["Damping", dampingText],
  ["State", (content) => (content.isActive ? "enabled" : "disabled")],
];

export function escalationText(content: Pick<RuleContent, "escalation">): string {
  const steps = stepsOf(content).map((step) => `${step.severity.toLowerCase()} after ${durationText(step.after)}`);
  return steps.length === 0 ? "none" : steps.join(", ");
}

export function actionText(content: Pick<RuleContent, "action">, names: Names): string {
  const { createActivityFromTemplateId: template, webhookUrl } = actionOf(content);
  const actions: string[] = [];
  if (template) actions.push(`create the work order “${names.get(template) ?? "…"}”`);
  if (webhookUrl) actions.push(`call ${webhookUrl}`);
  return actions.length === 0 ? "open an alarm only" : actions.join(" and ");
}

export function dampingText(content: Pick<RuleContent, "damping">): string {
  const { maxEvents, per } = dampingOf(content);
  return `at most ${maxEvents} alarms of an entity within ${durationText(per)}`;
}
