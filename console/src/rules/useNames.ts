import { useMemo } from "react";
import { graphql } from "../api/gen";
import { useApi } from "../api/hooks";
import type { Names } from "./content";

const NAMES = graphql(`
  query RuleNames($ids: [ID!]!) {
    nodes(ids: $ids) {
      __typename
      id
      ... on Entity {
        kind
        name
      }
      ... on Group {
        name
      }
      ... on AssetProfile {
        name
      }
      ... on ActivityTemplate {
        name
      }
    }
  }
`);

const MOST = 500;

/** The names of what rules are about and of what they create. One request, none where there is nothing to name. */
export function useNames(ids: readonly string[]): { names: Names; kinds: ReadonlyMap<string, string> } {
  const distinct = [...new Set(ids)].sort().slice(0, MOST);
  const { data } = useApi(NAMES, { ids: distinct }, { enabled: distinct.length > 0, keep: () => true, staleMs: 60_000 });
  return useMemo(() => {
    const names = new Map<string, string>();
    const kinds = new Map<string, string>();
    for (const node of data?.nodes ?? []) {
      if (!node || !("name" in node)) continue;
      names.set(node.id, node.name);
      if ("kind" in node) kinds.set(node.id, node.kind);
    }
    return { names, kinds };
  }, [data]);
}
