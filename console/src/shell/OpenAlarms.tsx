import { Link } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { graphql } from "../api/gen";
import type { OpenAlarmCountsQueryVariables } from "../api/gen/graphql";
import { useApi } from "../api/hooks";
import { onReopened, useLive } from "../api/live";
import { isPast } from "../time/moment";
import { textOf } from "../time/instant";
import { useMoment } from "../time/useMoment";
import { SEVERITIES, SeverityTag } from "../ui/Tags";

const COUNTS = graphql(`
  query OpenAlarmCounts($states: [EventState!], $openAt: DateTime) {
    CRITICAL: events(filter: { severities: [CRITICAL], states: $states, openAt: $openAt }, first: 0) {
      totalCount
    }
    HIGH: events(filter: { severities: [HIGH], states: $states, openAt: $openAt }, first: 0) {
      totalCount
    }
    MEDIUM: events(filter: { severities: [MEDIUM], states: $states, openAt: $openAt }, first: 0) {
      totalCount
    }
    LOW: events(filter: { severities: [LOW], states: $states, openAt: $openAt }, first: 0) {
      totalCount
    }
  }
`);

const CHANGED = graphql(`
  subscription AlarmsChanged {
    events {
      id
    }
  }
`);

const OPEN: OpenAlarmCountsQueryVariables = { states: ["OPEN", "ACKNOWLEDGED"] };
const TOGETHER_MS = 1_000;

/** How many alarms are open of each severity, at the moment that is shown; the top bar keeps it up to date. */
export function useOpenCounts() {
  const { moment } = useMoment();
  const variables = isPast(moment) ? { openAt: textOf(moment.at) } : OPEN;
  return useApi(COUNTS, variables, { keep: true, staleMs: 30_000 });
}

/** Open alarms by severity, at the moment that is shown. */
export function OpenAlarms() {
  const { moment } = useMoment();
  const counts = useOpenCounts();
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  // A flood is counted once a second, not once an alarm.
  const recount = () => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      void counts.refetch();
    }, TOGETHER_MS);
  };
  useLive(CHANGED, isPast(moment) ? null : {}, recount);
  const { refetch } = counts;
  useEffect(() => onReopened(() => void refetch()), [refetch]);
  const shown = SEVERITIES.filter((severity) => (counts.data?.[severity].totalCount ?? 0) > 0);
  return (
    <Link to="/alarms" className="open-alarms">
      <span className="visually-hidden">Open alarms: </span>
      {counts.data !== undefined && shown.length === 0 && (
        <span className="tag good">
          no <span className="open-word">open </span>alarms
        </span>
      )}
      {shown.map((severity) => (
        <SeverityTag key={severity} severity={severity} count={counts.data?.[severity].totalCount ?? 0} />
      ))}
    </Link>
  );
}
