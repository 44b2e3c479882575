import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { graphql } from "../api/gen";
import { useApi } from "../api/hooks";
import { ChangeTitle } from "../changes/ChangeText";
import { microsOf, now, textOf } from "../time/instant";
import { isPast } from "../time/moment";
import { useMoment } from "../time/useMoment";
import { Empty, Part } from "../ui/States";
import { Instant } from "../ui/Time";
import { lastVisit } from "../changes/visit";

const CHANGED = graphql(`
  query OverviewChanges($from: DateTime!, $to: DateTime) {
    changes(filter: { from: $from, to: $to }, first: 6) {
      totalCount
      nodes {
        ...ChangeOfRange
      }
    }
  }
`);

const DAY_US = 86_400e6;

/** What was changed since the last visit of this browser; without one, and in the past, within 24 hours. */
export function ChangedPanel() {
  const { moment } = useMoment();
  const past = isPast(moment);
  const visit = useMemo(lastVisit, []);
  const dayBefore = useMemo(() => textOf(Math.floor(((past ? moment.at : now()) - DAY_US) / 60e6) * 60e6), [past ? moment.at : null]);
  const isSinceVisit = !past && visit !== null;
  const from = isSinceVisit ? visit : dayBefore;
  const answer = useApi(CHANGED, { from, to: past ? textOf(moment.at) : null }, { keep: true, staleMs: 20_000 });
  return (
    <section className="panel" aria-labelledby="overview-changes">
      <header>
        <h2 id="overview-changes">
          <Link to="/changes" search={{ from: textOf(Math.floor(microsOf(from) / 1e6) * 1e6) }}>
            {isSinceVisit ? "Changed since your last visit" : "Changed within 24 hours"}
          </Link>
        </h2>
        {isSinceVisit && (
          <span className="muted small">
            <Instant at={visit} />
          </span>
        )}
      </header>
      <Part of={answer} what="the changes">
        {(data) =>
          data.changes.nodes.length === 0 ? (
            <Empty title="Nobody changed anything" />
          ) : (
            <>
              <ul className="plain lines">
                {data.changes.nodes.map((change) => (
                  <li key={change.id}>
                    <ChangeTitle change={change} />{" "}
                    <span className="muted small">
                      by {change.actor} <Instant at={change.recordedAt} />
                    </span>
                  </li>
                ))}
              </ul>
              {data.changes.totalCount > data.changes.nodes.length && (
                <p className="muted small number">and {(data.changes.totalCount - data.changes.nodes.length).toLocaleString("en")} more</p>
              )}
            </>
          )
        }
      </Part>
    </section>
  );
}
