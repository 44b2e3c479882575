import { Link } from "@tanstack/react-router";
import type { EventFilter } from "../api/gen/graphql";
import { countsOf, worstOf } from "../alarms/alarm";
import { type Group, groupsOf } from "../alarms/groups";
import { useAlarms } from "../alarms/useAlarms";
import { usePlaces } from "../alarms/usePlaces";
import { useOpenCounts } from "../shell/OpenAlarms";
import { Empty, Failed, Loading } from "../ui/States";
import { SeverityCounts } from "../ui/SeverityCounts";
import { SEVERITIES, SeverityTag } from "../ui/Tags";

const OPEN: EventFilter = { states: ["OPEN", "ACKNOWLEDGED"] };
const PLACES_SHOWN = 5;

/** Open alarms by severity, by space and by asset, live. */
export function AlarmsPanel() {
  const list = useAlarms(OPEN, "open", false);
  const counts = useOpenCounts();
  // Places are of the alarms that are loaded, the newest.
  const note = list.hasMore ? `the ${list.loaded.toLocaleString("en")} newest` : null;
  const places = usePlaces(list.alarms, true);
  const spaces = groupsOf(list.alarms, "space", places, null).filter((group) => group.id !== "none");
  const assets = groupsOf(list.alarms, "asset", places, null);
  return (
    <section className="panel" aria-labelledby="overview-alarms">
      <header>
        <h2 id="overview-alarms">
          <Link to="/alarms">Open alarms</Link>
        </h2>
      </header>
      <Failed faults={[...(list.error?.faults ?? []), ...list.faults]} retry={list.retry} />
      {list.isLoading && <Loading what="alarms" />}
      {!list.isLoading && list.error === null && list.alarms.length === 0 && <Empty title="No open alarms" />}
      {list.alarms.length > 0 && (
        <div className="stack">
          <ul className="plain bar">
            {SEVERITIES.map((severity) => {
              const count = counts.data?.[severity].totalCount ?? 0;
              return count === 0 ? null : (
                <li key={severity}>
                  <Link to="/alarms" search={{ severity }} className="count-link">
                    <SeverityTag severity={severity} count={count} />
                  </Link>
                </li>
              );
            })}
          </ul>
          {spaces.length > 0 && <Places title="By space" note={note} groups={spaces} />}
          <Places title="By asset" note={note} groups={assets} />
        </div>
      )}
    </section>
  );
}

function Places({ title, note, groups }: { title: string; note: string | null; groups: readonly Group[] }) {
  return (
    <div>
      <h3>
        {title} {note !== null && <span className="muted small">{note}</span>}
      </h3>
      <ul className="plain places">
        {groups.slice(0, PLACES_SHOWN).map((group) => (
          <li key={group.id} data-worst={worstOf(group.alarms)}>
            <Link to="/alarms" search={{ under: group.id }} title={`The alarms at ${group.name} and below`}>
              {group.name}
            </Link>
            <SeverityCounts counts={countsOf(group.alarms)} isShort />
          </li>
        ))}
      </ul>
      {groups.length > PLACES_SHOWN && <p className="muted small">and {groups.length - PLACES_SHOWN} more</p>}
    </div>
  );
}
