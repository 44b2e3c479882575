import type { Severity } from "../ui/Tags";
import { conditionText } from "./condition";

/** What a rule says, and each of its versions; the JSON parts have the forms of the API's inputs. */
export type RuleContent = {
  condition: unknown;
  scope: unknown;
  severity: Severity;
  action: unknown;
  escalation: unknown;
  damping: unknown;
  isActive: boolean;
};

export type Scope = {
  entityId?: string | null;
  kind?: string | null;
  type?: string | null;
  underId?: string | null;
  profileId?: string | null;
  groupId?: string | null;
};
export type Step = { after: string; severity: Severity };
export type Action = { createActivityFromTemplateId?: string | null; webhookUrl?: string | null };
export type Damping = { maxEvents: number; per: string };

/** Names by id, of what scopes and actions name. */
export type Names = ReadonlyMap<string, string>;

const KINDS: Record<string, string> = { DEVICE: "devices", ASSET: "assets", SPACE: "spaces" };

export function scopeOf(content: Pick<RuleContent, "scope">): Scope {
  return (content.scope ?? {}) as Scope;
}

export function stepsOf(content: Pick<RuleContent, "escalation">): Step[] {
  return (content.escalation ?? []) as Step[];
}

export function actionOf(content: Pick<RuleContent, "action">): Action {
  return (content.action ?? {}) as Action;
}

export function dampingOf(content: Pick<RuleContent, "damping">): Damping {
  return content.damping as Damping;
}

/** Return the id that a scope names: of an entity, a group or a profile; null: it names none. */
export function scopedId(scope: Scope): string | null {
  return scope.entityId ?? scope.underId ?? scope.groupId ?? scope.profileId ?? null;
}

/** Return the ids of which a sentence about a rule needs the names. */
export function namedIds(content: Pick<RuleContent, "scope" | "action">): string[] {
  return [scopedId(scopeOf(content)), actionOf(content).createActivityFromTemplateId ?? null].filter((id) => id !== null);
}

/** Return what a rule is about, e.g. "assets of type Boiler". */
export function scopeText(scope: Scope, names: Names): string {
  const id = scopedId(scope);
  const name = id === null ? "" : (names.get(id) ?? "…");
  if (scope.entityId) return name;
  if (scope.underId) return `everything under ${name}`;
  if (scope.groupId) return `members of ${name}`;
  if (scope.profileId) return `assets of profile ${name}`;
  if (scope.type) return `${KINDS[scope.kind ?? ""] ?? "entities"} of type ${scope.type}`;
  return "everything";
}

/** Return the condition with its capital, as the beginning of a sentence: "When flow is above 3 …". */
export function whenText(condition: unknown): string {
  return `When ${conditionText(condition)}`;
}
