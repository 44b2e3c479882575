import { useMemo } from "react";
import { graphql } from "../../api/gen";
import type { EntityFilter } from "../../api/gen/graphql";
import { useApi } from "../../api/hooks";
import { numberText } from "../../ui/numbers";
import type { Suggestion } from "../../ui/suggestions";
import { useDebounced } from "../../ui/useDebounced";
import type { ScopeDraft } from "./draft";

const IN_SCOPE = graphql(`
  query RuleScopeEntities($filter: EntityFilter!) {
    entities(filter: $filter, first: 25) {
      totalCount
      nodes {
        id
        ... on Device {
          latest {
            metric
            unit
            value
          }
        }
        ... on Asset {
          latest {
            metric
            unit
            value
          }
        }
        ... on Space {
          latest {
            metric
            unit
            value
          }
        }
      }
    }
  }
`);

// What CEL calls in a rule, besides the metrics.
const FUNCTIONS = ["abs", "ceil", "floor", "round", "sqrt", "min", "max"];

/** Return the filter of the entities that a scope means now; null: what it is about is not chosen yet. */
function filterOfScope({ by, entityKind, type, id }: ScopeDraft): EntityFilter | null {
  const kinds: EntityFilter["kinds"] = ["DEVICE", "ASSET", "SPACE"];
  if (by === "all") return { kinds };
  if (by === "type") return type.trim() === "" ? null : { kinds: [entityKind], types: [type.trim()] };
  if (id === "") return null;
  if (by === "under") return { kinds, underId: id };
  if (by === "group") return { kinds, groupId: id };
  return by === "profile" ? { kinds: ["ASSET"], profileId: id } : { kinds, ids: [id] };
}

/** How many entities a scope has now, and the metrics of some of them. One request. */
export function useScopeMetrics(scope: ScopeDraft): { count: number | null; metrics: readonly Suggestion[]; faults: ReturnType<typeof useApi>["faults"] } {
  const filter = filterOfScope(scope);
  const key = useDebounced(JSON.stringify(filter), 250);
  const requested = JSON.parse(key) as EntityFilter | null;
  const answer = useApi(IN_SCOPE, { filter: requested ?? {} }, { enabled: requested !== null, keep: () => true, staleMs: 60_000 });
  const metrics = useMemo(() => {
    const notes = new Map<string, string>();
    for (const node of answer.data?.entities.nodes ?? []) {
      for (const point of ("latest" in node ? node.latest : null) ?? []) {
        if (notes.has(point.metric)) continue;
        const value = point.value === null || point.value === undefined ? "" : `now ${numberText(point.value)}${point.unit ? ` ${point.unit}` : ""}`;
        notes.set(point.metric, value);
      }
    }
    return [...notes].map(([text, note]) => ({ text, note })).sort((a, b) => (a.text < b.text ? -1 : 1));
  }, [answer.data]);
  const isCurrent = filter !== null && key === JSON.stringify(filter) && !answer.isPlaceholderData;
  return { count: isCurrent ? (answer.data?.entities.totalCount ?? null) : null, metrics, faults: answer.error?.faults ?? answer.faults };
}

/** Return what an expression may name: metrics, those that are no names of CEL in brackets, and functions. */
export function expressionSuggestions(metrics: readonly Suggestion[]): Suggestion[] {
  const named = metrics.map((metric) => (/^[A-Za-z_]\w*$/.test(metric.text) ? metric : { ...metric, text: `metrics[${JSON.stringify(metric.text)}]` }));
  return [...named, ...FUNCTIONS.map((name) => ({ text: `${name}(`, note: "function" }))];
}
