import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { graphql } from "../api/gen";
import type { EventFilter } from "../api/gen/graphql";
import { useApi } from "../api/hooks";
import type { Search } from "../time/moment";
import { useSession } from "../session/SessionGate";
import { now } from "../time/instant";
import { isPast } from "../time/moment";
import { useMoment } from "../time/useMoment";
import { FilterFold } from "../ui/FilterFold";
import { PageName } from "../ui/PageName";
import { type Choice, Picker } from "../ui/Picker";
import { Empty, Failed } from "../ui/States";
import { SEVERITIES, type Severity } from "../ui/Tags";
import { RulePicker } from "../rules/RulePicker";
import { useDebounced } from "../ui/useDebounced";
import { useAddressText } from "./useAddressText";
import type { View } from "./alarm";
import { AlarmList } from "./AlarmList";
import { GROUPINGS, type Grouping } from "./groups";
import { shelvesAt } from "./shelves";
import { ShelvesPanel } from "./ShelvesPanel";

const FILTERS = graphql(`
  query AlarmFilters($under: ID!, $hasUnder: Boolean!, $rule: ID!, $hasRule: Boolean!) {
    rules(first: 0) {
      totalCount
    }
    active: rules(filter: { isActive: true }, first: 0) {
      totalCount
    }
    rule: node(id: $rule) @include(if: $hasRule) {
      __typename
      ... on Rule {
        id
        name
      }
    }
    shelves(first: 200) {
      nodes {
        id
        from
        to
        note
        actor
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
    entity(id: $under) @include(if: $hasUnder) {
      id
      kind
      name
      type
    }
  }
`);

const NAMED = graphql(`
  query AlarmsNamed($text: String!) {
    search(text: $text, kinds: [DEVICE, ASSET, SPACE], first: 500) {
      entity {
        id
      }
    }
  }
`);

const VIEWS: readonly [View | "unacknowledged", string, string][] = [
  ["open", "Open", "All that are open"],
  ["unacknowledged", "Not acknowledged", "Open, and nobody has acknowledged them"],
  ["forgotten", "Forgotten", "Acknowledged longer than 24 h ago, and still open"],
  ["shelved", "Shelved", "Open, and shelved or in a maintenance window"],
  ["any", "All events", "Cleared, dismissed and withdrawn ones too"],
];
// Others shelve, too, and shelves end.
const SHELVES_MS = 30_000;
const HITS_MOST = 500;
const NOBODY = "00000000-0000-0000-0000-000000000000";

/**
 * The alarms of the organization, live, or as they were.
 *
 * Two requests: the alarms and what the filters offer; by space, one more for the spaces; while searching, one for the hits.
 */
export function AlarmsPage() {
  const search = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  const { moment } = useMoment();
  const past = isPast(moment);
  const { role } = useSession();
  const set = (part: Record<string, string | undefined>) =>
    void navigate({ to: ".", search: (before) => ({ ...before, ...part }), replace: true });
  const view = VIEWS.find(([name]) => name === search.view)?.[0] ?? "open";
  const grouping = GROUPINGS.find(([name]) => name === search.group)?.[0] ?? "asset";
  const severities = (search.severity ?? "").split(",").filter((name): name is Severity => SEVERITIES.some((severity) => severity === name));
  const [text, setText] = useAddressText(search.q, (q) => set({ q }));
  const searched = useDebounced(text.trim(), 250);
  const filters = useApi(FILTERS, { under: search.under ?? NOBODY, hasUnder: search.under !== undefined, rule: search.rule ?? NOBODY, hasRule: search.rule !== undefined }, { keep: true, refetchMs: SHELVES_MS });
  const named = useApi(NAMED, { text: searched }, { enabled: searched !== "", keep: true });

  const hits = searched === "" ? null : (named.data?.search.map((hit) => hit.entity.id) ?? null);
  const severityKey = severities.join();
  const hitKey = hits?.join() ?? null;
  const filter = useMemo<EventFilter>(
    () => ({
      states: view === "unacknowledged" ? ["OPEN"] : view === "forgotten" ? ["ACKNOWLEDGED"] : view === "any" ? null : ["OPEN", "ACKNOWLEDGED"],
      ...(severityKey === "" ? {} : { severities: severityKey.split(",") as Severity[] }),
      ...(search.under === undefined ? {} : { underId: search.under }),
      ...(search.rule === undefined ? {} : { ruleIds: [search.rule] }),
      ...(hitKey === null ? {} : { entityIds: hitKey === "" ? [] : hitKey.split(",") }),
    }),
    [view, severityKey, search.under, search.rule, hitKey],
  );
  const rule = filters.data?.rule?.__typename === "Rule" ? filters.data.rule : null;
  const chosenRule = search.rule === undefined ? null : { id: search.rule, name: rule?.id === search.rule ? rule.name : "…" };
  const under = filters.data?.entity;
  const chosen: Choice | null = under ? { id: under.id, name: under.name, kind: under.kind, type: under.type ?? null } : null;
  const shelves = useMemo(() => shelvesAt(filters.data?.shelves?.nodes ?? [], past ? moment.at : now()), [filters.data, filters.dataUpdatedAt, past ? moment.at : null]);
  const isFiltered = view !== "open" || severities.length > 0 || search.under !== undefined || search.rule !== undefined || searched !== "";
  return (
    <div className="stack">
      <PageName name="Alarms" />
      <fieldset className="time-modes alarm-views">
        <legend className="visually-hidden">Which alarms</legend>
        {VIEWS.filter(([name]) => !past || name === "open" || name === "unacknowledged").map(([name, label, title]) => (
          <button key={name} type="button" className="button" aria-pressed={view === name} title={title} onClick={() => set({ view: name === "open" ? undefined : name })}>
            {label}
          </button>
        ))}
      </fieldset>
      <FilterFold isFiltered={isFiltered}>
        <div className="filter-bar">
          <label>
            Search
            <input
              type="search"
              placeholder="Name of a device, asset or space"
              value={text}
              onChange={(event) => setText(event.target.value)}
            />
          </label>
          <label>
            Severity
            <select value={severityKey} onChange={(event) => set({ severity: event.target.value || undefined })}>
              <option value="">Any</option>
              <option value="CRITICAL,HIGH">Critical and high</option>
              {SEVERITIES.map((name) => (
                <option key={name} value={name}>
                  {name.toLowerCase()}
                </option>
              ))}
            </select>
          </label>
          <label>
            Group
            <select value={grouping} onChange={(event) => set({ group: event.target.value === "asset" ? undefined : event.target.value })}>
              {GROUPINGS.map(([name, label]) => (
                <option key={name} value={name}>
                  {label}
                </option>
              ))}
            </select>
          </label>
          <div className="under-filter">
            <Picker label="Located under" kinds={["SPACE", "ASSET"]} value={chosen} onChoose={(choice) => set({ under: choice?.id })} />
          </div>
          <div className="under-filter">
            <RulePicker label="Rule" value={chosenRule} onChoose={(choice) => set({ rule: choice?.id })} />
          </div>
        </div>
      </FilterFold>
      <Failed faults={[...(filters.error?.faults ?? []), ...filters.faults, ...(named.error?.faults ?? [])]} />
      {(hits?.length ?? 0) >= HITS_MOST && (
        <p className="notice" role="status">
          More than {HITS_MOST} have a name like that: these are the alarms of the {HITS_MOST} that match best. Type more of the name.
        </p>
      )}
      {view === "shelved" && <ShelvesPanel shelves={shelves} past={past} />}
      <AlarmList
        filter={filter}
        view={view === "unacknowledged" ? "open" : view}
        grouping={grouping as Grouping}
        hasAll={searched === "" || hits !== null}
        shelves={shelves}
        empty={<NoAlarms isFiltered={isFiltered} past={past} isAdmin={role === "admin"} rules={filters.data && { total: filters.data.rules.totalCount, active: filters.data.active.totalCount }} />}
      />
    </div>
  );
}

type Rules = { total: number; active: number };

function NoAlarms({ isFiltered, past, isAdmin, rules }: { isFiltered: boolean; past: boolean; isAdmin: boolean; rules: Rules | undefined }) {
  if (isFiltered) {
    return (
      <Empty title="No alarm matches">
        <Link className="button" to="/alarms">
          Show all that are open
        </Link>
      </Empty>
    );
  }
  if (past) return <Empty title="No alarm was open at this moment" />;
  if (rules !== undefined && rules.total === 0) {
    return (
      <Empty title="No open alarms, and no rule that could open one">
        <p>A rule watches metrics and opens an alarm when its condition holds.{!isAdmin && " An administrator can create one."}</p>
        {isAdmin && (
          <Link className="button primary" to="/rules/new">
            New rule…
          </Link>
        )}
      </Empty>
    );
  }
  return (
    <Empty title="No open alarms">
      {rules !== undefined && (
        <p>
          <Link to="/rules">{rules.active === 1 ? "1 rule" : `${rules.active.toLocaleString("en")} rules`}</Link> {rules.active === 1 ? "is" : "are"} enabled.
        </p>
      )}
      <Link className="button" to="/alarms" search={{ view: "any" }}>
        Show past events
      </Link>
    </Empty>
  );
}
