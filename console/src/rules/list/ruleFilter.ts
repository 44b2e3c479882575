import type { RuleFilter } from "../../api/gen/graphql";
import { valuesOf } from "../../ui/listParams";
import { SEVERITIES, type Severity } from "../../ui/Tags";

export type RuleSearch = { q?: string | undefined; severity?: string | undefined; active?: string | undefined };

/** Return the filter that an address means. without: a condition that is left out, to count what it would leave. */
export function filterOf(search: RuleSearch, past: boolean, without?: "severity" | "active"): RuleFilter {
  const severities = severitiesOf(search);
  return {
    ...(search.q ? { search: search.q } : {}),
    ...(severities.length === 0 || without === "severity" ? {} : { severities }),
    ...(search.active === undefined || without === "active" ? {} : { isActive: search.active === "yes" }),
    // In the past, a rule may have been there that has been deleted since.
    ...(past ? { includeDeleted: true } : {}),
  };
}

export function severitiesOf(search: RuleSearch): Severity[] {
  return valuesOf(search.severity).filter((name): name is Severity => SEVERITIES.some((severity) => severity === name));
}

export function isNarrowed(search: RuleSearch): boolean {
  return Boolean(search.q) || severitiesOf(search).length > 0 || search.active !== undefined;
}
