import { Link } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { graphql } from "../api/gen";
import { useApi } from "../api/hooks";
import { onReopened, useLive } from "../api/live";
import { EntityLink } from "../entities/EntityLink";
import type { Search } from "../time/moment";
import { openEvents } from "./openEvents";
import { isPast } from "../time/moment";
import { useMoment } from "../time/useMoment";
import { Failed, Loading } from "../ui/States";
import { SeverityTag } from "../ui/Tags";
import { Age } from "../ui/Time";

const OPEN = graphql(`
  query OpenAlarmRows($filter: EventFilter!) {
    events(filter: $filter, first: 5) {
      totalCount
      nodes {
        id
        severity
        openedAt
        rule {
          id
          name
        }
        entity {
          id
          kind
          name
        }
      }
    }
  }
`);

const CHANGED = graphql(`
  subscription OpenAlarmRowsChanged($id: ID!) {
    events(filter: { underId: $id }) {
      id
    }
  }
`);

const TOGETHER_MS = 1_000;

/** The five newest open alarms at an entity and below it, live; all of them are behind the tab. One request. */
export function OpenAlarmRows({ entityId }: { entityId: string }) {
  const { moment } = useMoment();
  const past = isPast(moment);
  const answer = useApi(OPEN, { filter: { underId: entityId, ...openEvents(moment) } }, { keep: true });
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const { refetch } = answer;
  useEffect(() => () => clearTimeout(timer.current), []);
  useEffect(() => onReopened(() => void refetch()), [refetch]);
  useLive(CHANGED, past ? null : { id: entityId }, () => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      void refetch();
    }, TOGETHER_MS);
  });
  if (answer.data === undefined) return answer.error ? <Failed faults={answer.error.faults} retry={() => void refetch()} /> : <Loading what="alarms" />;
  const { nodes, totalCount } = answer.data.events;
  if (nodes.length === 0) return <p className="muted">None is open{past ? " at this moment" : ""}, at it or below it.</p>;
  return (
    <>
      <ul className="rows">
        {nodes.map((alarm) => (
          <li key={alarm.id}>
            <span>
              <SeverityTag severity={alarm.severity} /> {alarm.rule?.name ?? "a deleted rule"}
              {alarm.entity.id !== entityId && (
                <span className="small">
                  {" "}
                  <span className="muted">at</span> <EntityLink entity={alarm.entity} />
                </span>
              )}
            </span>
            <span className="muted">
              <Age at={alarm.openedAt} from={past ? moment.at : null} />
            </span>
          </li>
        ))}
      </ul>
      <p>
        <Link to="." search={(before: Search) => ({ ...before, tab: "alarms" })}>
          {totalCount === 1 ? "Open the alarm" : `All ${totalCount.toLocaleString("en")} alarms`}
        </Link>
      </p>
    </>
  );
}
