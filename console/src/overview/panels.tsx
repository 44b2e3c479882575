import { Link } from "@tanstack/react-router";
import { EntityLink } from "../entities/EntityLink";
import { microsOf, now } from "../time/instant";
import { Empty, NowNote } from "../ui/States";
import { Instant } from "../ui/Time";
import type { OverviewStateQuery as OverviewState } from "../api/gen/graphql";

const CONNECTIVITIES = [
  ["ONLINE", "online", "●", "good"],
  ["OFFLINE", "offline", "○", "bad"],
  ["NEVER_SEEN", "never seen", "◌", ""],
] as const;
const SHOWN = 6;

/** How many devices are online, offline, and were never seen. */
export function DevicesPanel({ state, past }: { state: OverviewState; past: boolean }) {
  const values = state.facets.find((facet) => facet.by === "CONNECTIVITY")?.values ?? [];
  const countOf = (name: string) => values.find(({ value }) => value === name)?.count ?? 0;
  const total = CONNECTIVITIES.reduce((sum, [name]) => sum + countOf(name), 0);
  return (
    <section className="panel" aria-labelledby="overview-devices">
      <header>
        <h2 id="overview-devices">
          <Link to="/devices">Devices</Link>
        </h2>
        <span className="muted small number">{total.toLocaleString("en")}</span>
        <NowNote past={past} />
      </header>
      {total === 0 ? (
        <Empty title="No devices yet">
          <Link className="button" to="/" search={{ steps: "first" }}>
            First steps
          </Link>
        </Empty>
      ) : (
        <ul className="plain figures">
          {CONNECTIVITIES.map(([name, label, sign, tone]) => (
            <li key={name}>
              <Link to="/devices" search={{ connectivity: name }} className="figure" data-tone={countOf(name) > 0 ? tone : ""}>
                <b className="number">{countOf(name).toLocaleString("en")}</b>
                <span>
                  <span aria-hidden="true">{sign}</span> {label}
                </span>
              </Link>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** What persons have to do, what is due first. */
export function WorkPanel({ state, past }: { state: OverviewState; past: boolean }) {
  const { nodes, totalCount } = state.activities;
  const dueOf = (activity: (typeof nodes)[number]) => (activity.dueAt ? microsOf(activity.dueAt) : Number.POSITIVE_INFINITY);
  const sorted = [...nodes].sort((a, b) => dueOf(a) - dueOf(b)).slice(0, SHOWN);
  const overdue = nodes.filter((activity) => dueOf(activity) < now()).length;
  return (
    <section className="panel" aria-labelledby="overview-work">
      <header>
        <h2 id="overview-work">Work due</h2>
        <span className="muted small number">{totalCount.toLocaleString("en")} unfinished</span>
        {overdue > 0 && <span className="tag bad">{overdue} overdue</span>}
        <NowNote past={past} />
      </header>
      {sorted.length === 0 && <Empty title="No work is due" />}
      <ul className="plain lines">
        {sorted.map((activity) => (
          <li key={activity.id}>
            <EntityLink entity={activity} /> <span className="tag">{activity.state.toLowerCase().replace("_", " ")}</span>{" "}
            <span className={dueOf(activity) < now() ? "overdue small" : "muted small"}>
              {activity.dueAt ? (
                <>
                  {dueOf(activity) < now() ? "overdue since" : "due"} <Instant at={activity.dueAt} />
                </>
              ) : (
                "at no given time"
              )}
            </span>
          </li>
        ))}
      </ul>
      {totalCount > nodes.length && <p className="muted small">What is due first among {nodes.length} of them.</p>}
    </section>
  );
}
