import { useMemo } from "react";
import { graphql } from "../api/gen";
import { useApi } from "../api/hooks";
import { type ConditionLine, conditionLines } from "./condition";
import { scopeHolds } from "./scope";

const RULES = graphql(`
  query RulesOfEntity($id: ID!) {
    entity(id: $id) {
      id
      kind
      type
      ... on Asset {
        profile {
          id
        }
      }
    }
    rules(first: 200) {
      nodes {
        id
        name
        isActive
        deletedAt
        scope
        condition
      }
    }
  }
`);

/**
 * The thresholds of the rules in force that name an entity, as lines for its charts. One request.
 *
 * Rules for what is below another entity are left out: their scope is known to the graph alone.
 */
export function useRuleLines(entityId: string): ConditionLine[] {
  const answer = useApi(RULES, { id: entityId }, { staleMs: 60_000 });
  const { data } = answer;
  return useMemo(() => {
    const entity = data?.entity;
    if (!entity || entity.id !== entityId) return [];
    const profileId = "profile" in entity ? (entity.profile?.id ?? null) : null;
    const scoped = { id: entity.id, kind: entity.kind, type: entity.type ?? null, profileId };
    return data.rules.nodes
      .filter((rule) => rule.isActive && !rule.deletedAt && scopeHolds(rule.scope, scoped) === true)
      .flatMap((rule) => conditionLines(rule.condition).map((line) => ({ ...line, label: `${rule.name}: ${line.label}` })));
  }, [data, entityId]);
}
