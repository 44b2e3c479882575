import { useEffect, useMemo, useRef, useState } from "react";
import { graphql } from "../../api/gen";
import type { RuleListQuery } from "../../api/gen/graphql";
import { useApi } from "../../api/hooks";
import { onReopened, useLive } from "../../api/live";
import { usePages } from "../../api/usePages";
import { type Micros, microsOf, now, textOf } from "../../time/instant";
import { coordinatesOf, isPast } from "../../time/moment";
import { useMoment } from "../../time/useMoment";
import { SEVERITIES } from "../../ui/Tags";
import { filterOf, type RuleSearch } from "./ruleFilter";

const LIST = graphql(`
  query RuleList($filter: RuleFilter!, $day: DateTime!, $month: DateTime!, $to: DateTime, $asOf: DateTime, $knownAt: DateTime, $after: String) {
    rules(filter: $filter, first: 100, after: $after) {
      totalCount
      nodes {
        id
        name
        severity
        isActive
        deletedAt
        entityCount
        day: eventCount(from: $day, to: $to)
        month: eventCount(from: $month, to: $to)
        condition
        scope
        action
        inForce(asOf: $asOf, knownAt: $knownAt) {
          condition
          scope
          severity
          action
          isActive
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

const FACETS = graphql(`
  query RuleFacets(
    $critical: RuleFilter!
    $high: RuleFilter!
    $medium: RuleFilter!
    $low: RuleFilter!
    $active: RuleFilter!
    $inactive: RuleFilter!
  ) {
    critical: rules(filter: $critical, first: 0) {
      totalCount
    }
    high: rules(filter: $high, first: 0) {
      totalCount
    }
    medium: rules(filter: $medium, first: 0) {
      totalCount
    }
    low: rules(filter: $low, first: 0) {
      totalCount
    }
    active: rules(filter: $active, first: 0) {
      totalCount
    }
    inactive: rules(filter: $inactive, first: 0) {
      totalCount
    }
  }
`);

const FIRED = graphql(`
  subscription RulesFired {
    events {
      id
    }
  }
`);

const DAY_US: Micros = 86_400e6;
const MINUTE_US: Micros = 60e6;
// A rule that fires all the time is counted again at most so often.
const TOGETHER_MS = 3_000;

export type RuleRow = RuleListQuery["rules"]["nodes"][number];

/**
 * The rules that an address means, page by page, as they were at the moment that is shown. One request a page.
 *
 * Live: how often they fired is counted again when an alarm opens, and every minute.
 */
export function useRules(search: RuleSearch) {
  const { moment } = useMoment();
  const past = isPast(moment);
  const at = useMinute(past ? moment.at : null);
  const list = usePages(
    LIST,
    {
      filter: filterOf(search, past),
      day: textOf(at - DAY_US),
      month: textOf(at - 30 * DAY_US),
      to: past ? textOf(at) : null,
      ...coordinatesOf(moment),
      after: null,
    },
    (data) => data.rules,
    { keep: true, staleMs: 30_000 },
  );
  const { refetch } = list;
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  useLive(FIRED, past ? null : {}, () => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      refetch();
    }, TOGETHER_MS);
  });
  useEffect(() => (past ? undefined : onReopened(refetch)), [past, refetch]);
  const rows = useMemo(() => list.nodes.flatMap((rule) => asOf(rule, past ? at : null)), [list.nodes, past ? at : null]);
  return { ...list, rows };
}

/** Return a rule as it is at an instant, as a list of one; none where it was not there. at null: now. */
function asOf(rule: RuleRow, at: Micros | null): RuleRow[] {
  // A rule that counts only later says what it will say.
  if (at === null) return [{ ...rule, ...rule.inForce }];
  const isGone = rule.deletedAt && microsOf(rule.deletedAt) <= at;
  return rule.inForce === null || rule.inForce === undefined || isGone ? [] : [{ ...rule, ...rule.inForce, deletedAt: null }];
}

/** An instant that is shown, or else this minute; it moves on by itself. */
function useMinute(shown: Micros | null): Micros {
  const [minute, setMinute] = useState(() => Math.floor(now() / MINUTE_US) * MINUTE_US);
  useEffect(() => {
    if (shown !== null) return;
    const timer = setInterval(() => setMinute(Math.floor(now() / MINUTE_US) * MINUTE_US), MINUTE_US / 1000);
    return () => clearInterval(timer);
  }, [shown === null]);
  return shown ?? minute;
}

/** How many rules each further choice would leave. One request. */
export function useRuleFacets(search: RuleSearch) {
  const ofSeverity = filterOf(search, false, "severity");
  const ofState = filterOf(search, false, "active");
  const [critical, high, medium, low] = SEVERITIES.map((severity) => ({ ...ofSeverity, severities: [severity] }));
  return useApi(
    FACETS,
    {
      critical: critical ?? {},
      high: high ?? {},
      medium: medium ?? {},
      low: low ?? {},
      active: { ...ofState, isActive: true },
      inactive: { ...ofState, isActive: false },
    },
    { keep: true, staleMs: 10_000 },
  );
}
