import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useMemo } from "react";
import { graphql } from "../api/gen";
import { useApi } from "../api/hooks";
import { onReopened } from "../api/live";
import type { Search } from "../time/moment";
import { now, textOf } from "../time/instant";
import { isPast } from "../time/moment";
import { useSession } from "../session/SessionGate";
import { useMoment } from "../time/useMoment";
import { PageName } from "../ui/PageName";
import { Failed, Part } from "../ui/States";
import "./overview.css";
import { AccountPanel } from "./AccountPanel";
import { AlarmsPanel } from "./AlarmsPanel";
import { ChangedPanel } from "./ChangedPanel";
import { FirstRun } from "./FirstRun";
import { HealthPanel } from "./HealthPanel";
import { DevicesPanel, WorkPanel } from "./panels";

const STATE = graphql(`
  query OverviewState {
    viewer {
      organizationName
    }
    kinds: facets(by: [KIND]) {
      values {
        value
        count
      }
    }
    facets(filter: { kinds: [DEVICE] }, by: [CONNECTIVITY]) {
      by
      values {
        value
        count
      }
    }
    activities(first: 100, filter: { not: { statuses: ["done", "verified", "cancelled"] } }) {
      totalCount
      nodes {
        id
        kind
        name
        state
        priority
        dueAt
      }
    }
  }
`);

// By itself: it is refused to who is confined to a part of the plant, and a request with what is refused gets nothing.
const ACCOUNT = graphql(`
  query OverviewAccount($from: DateTime!, $to: DateTime) {
    ingestAccount(from: $from, to: $to) {
      received
      stored
      duplicate
      dead
      pending
    }
  }
`);

const DAY_US = 86_400e6;
const REFRESH_MS = 30_000;
// While the first steps are gone through, their ticks follow soon.
const STEPS_MS = 3_000;

/**
 * How the plant is: alarms, devices, what was received, what changed, what is due. Of an empty plant, the first steps.
 *
 * Six requests: the state, what was received, the alarms, where they are, the changes, and seldom the health.
 */
export function OverviewPage() {
  const search = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  const { moment } = useMoment();
  const isWhole = useSession().under === null;
  const past = isPast(moment);
  // To the five minutes, so that the range stays the same for a while; what is received now is in it without an end.
  const at = past ? moment.at : null;
  const from = useMemo(() => textOf(Math.floor(((at ?? now()) - DAY_US) / 300e6) * 300e6), [at]);
  const isFirst = search.steps === "first";
  const refetchMs = isFirst ? STEPS_MS : REFRESH_MS;
  const options = { keep: true, ...(past ? {} : { refetchMs }) };
  const state = useApi(STATE, {}, options);
  const account = useApi(ACCOUNT, { from, to: at === null ? null : textOf(at) }, { ...options, enabled: isWhole });
  const { refetch } = state;
  const { refetch: refetchAccount } = account;
  useEffect(
    () =>
      onReopened(() => {
        void refetch();
        if (isWhole) void refetchAccount();
      }),
    [refetch, refetchAccount, isWhole],
  );
  const counts = new Map((state.data?.kinds[0]?.values ?? []).map(({ value, count }) => [value, count]));
  const isEmpty = state.data !== undefined && [...counts.values()].every((count) => count === 0);
  useEffect(() => {
    // The steps stay while they are gone through: after the first of them the plant is no longer empty.
    if (isEmpty && !isFirst) void navigate({ to: ".", search: (before) => ({ ...before, steps: "first" }), replace: true });
  }, [isEmpty, isFirst, navigate]);
  const setSteps = (steps: string | undefined) => void navigate({ to: ".", search: (before) => ({ ...before, steps }) });
  return (
    <div className="stack">
      <header className="bar">
        <PageName name={state.data?.viewer.organizationName ?? "Overview"} />
        <span className="spring" />
        {state.data !== undefined && !past && (
          <button type="button" className="button" aria-pressed={isFirst} onClick={() => setSteps(isFirst ? undefined : "first")}>
            First steps
          </button>
        )}
      </header>
      {isFirst && state.data !== undefined && (
        <FirstRun
          organization={state.data.viewer.organizationName}
          devices={counts.get("DEVICE") ?? 0}
          imported={(counts.get("ASSET") ?? 0) + (counts.get("SPACE") ?? 0)}
          past={past}
        />
      )}
      <Failed faults={state.faults} />
      {!isEmpty && (
        <div className="masonry">
          <AlarmsPanel />
          <Part of={state} what="the devices">
            {(data) => <DevicesPanel state={data} past={past} />}
          </Part>
          {isWhole && (
            <Part of={account} what="what was received">
              {(data) => <AccountPanel account={data.ingestAccount} past={past} />}
            </Part>
          )}
          <ChangedPanel />
          {state.data !== undefined && <WorkPanel state={state.data} past={past} />}
          <HealthPanel past={past} />
        </div>
      )}
    </div>
  );
}
