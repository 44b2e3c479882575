import { useEffect, useMemo, useRef } from "react";
import { graphql } from "../../api/gen";
import type { RulePageQuery } from "../../api/gen/graphql";
import { useApi } from "../../api/hooks";
import { onReopened, useLive } from "../../api/live";
import { type Micros, now, textOf } from "../../time/instant";
import { isPast } from "../../time/moment";
import { useMoment } from "../../time/useMoment";

const RULE = graphql(`
  query RulePage($id: ID!, $day: DateTime!, $month: DateTime!, $to: DateTime) {
    node(id: $id) {
      __typename
      ... on Rule {
        id
        name
        profileId
        createdAt
        updatedAt
        deletedAt
        entityCount
        day: eventCount(from: $day, to: $to)
        month: eventCount(from: $month, to: $to)
        versions {
          effectiveFrom
          recordedAt
          actor
          condition
          scope
          severity
          action
          escalation
          damping
          isActive
        }
      }
    }
    changes(filter: { subjectIds: [$id] }, first: 500) {
      nodes {
        recordedAt
        reason
      }
    }
  }
`);

const FIRED = graphql(`
  subscription RuleFired($filter: EventFilter!) {
    events(filter: $filter) {
      id
    }
  }
`);

const DAY_US: Micros = 86_400e6;
const MINUTE_US: Micros = 60e6;
const TOGETHER_MS = 2_000;

export type Rule = Extract<NonNullable<RulePageQuery["node"]>, { __typename: "Rule" }>;
export type RuleVersion = NonNullable<Rule["versions"]>[number];

/** A rule with its versions and why each was written, live. One request, and one subscription. */
export function useRule(id: string) {
  const { moment } = useMoment();
  const past = isPast(moment);
  const shown = past ? moment.at : null;
  const at = useMemo(() => shown ?? Math.floor(now() / MINUTE_US) * MINUTE_US, [shown]);
  const answer = useApi(
    RULE,
    { id, day: textOf(at - DAY_US), month: textOf(at - 30 * DAY_US), to: past ? textOf(at) : null },
    { keep: (before) => before.id === id },
  );
  const rule = answer.data?.node?.__typename === "Rule" ? answer.data.node : null;
  const { refetch } = answer;
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  useLive(FIRED, past || rule === null ? null : { filter: { ruleIds: [id] } }, () => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      void refetch();
    }, TOGETHER_MS);
  });
  useEffect(() => (past ? undefined : onReopened(() => void refetch())), [past, refetch]);
  const reasons = useMemo(() => {
    const changes = answer.data?.changes.nodes ?? [];
    return new Map(changes.flatMap(({ recordedAt, reason }) => (reason ? [[recordedAt, reason] as const] : [])));
  }, [answer.data]);
  return { answer, rule, reasons };
}
