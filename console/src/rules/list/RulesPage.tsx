import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { useRefusal } from "../../session/ActionButton";
import { ActionLink } from "../../session/ActionLink";
import { isPast, type Search } from "../../time/moment";
import { useMoment } from "../../time/useMoment";
import { FacetMenu } from "../../ui/FacetMenu";
import { FilterFold } from "../../ui/FilterFold";
import { Grid, GridTotal } from "../../ui/Grid";
import { useKeys } from "../../ui/keys";
import { textOfValues } from "../../ui/listParams";
import { PageName } from "../../ui/PageName";
import { SearchField } from "../../ui/SearchField";
import { Empty, Failed, Loading } from "../../ui/States";
import { Tabs, useTab } from "../../ui/Tabs";
import { TWO_LINES_PX, twoLines } from "../../ui/TwoLines";
import { useNarrow } from "../../ui/useNarrow";
import { namedIds } from "../content";
import { ShelvingTab } from "../shelving/ShelvingTab";
import { useNames } from "../useNames";
import { NARROW_LABELS, ruleColumns } from "./columns";
import { isNarrowed, type RuleSearch, severitiesOf } from "./ruleFilter";
import { type RuleRow, useRuleFacets, useRules } from "./useRules";
import "../../entities/entities.css";

const TABS = [
  { id: "rules", label: "Rules" },
  { id: "shelving", label: "Shelves and maintenance" },
] as const;
const idOf = (rule: RuleRow) => rule.id;

/** What opens alarms, and what keeps them from notifying anybody. */
export function RulesPage() {
  const { moment } = useMoment();
  const past = isPast(moment);
  const tab = useTab(TABS);
  return (
    <div className="stack">
      <header className="page-head">
        <PageName name="Rules" />
        <span className="spring" />
        {tab === "rules" && (
          <ActionLink mutation="createRule" past={past} to="/rules/new" className="button primary">
            New rule…
          </ActionLink>
        )}
      </header>
      <Tabs label="Parts of the rules" tabs={TABS} current={tab} />
      {tab === "rules" ? <RuleList /> : <ShelvingTab />}
    </div>
  );
}

/** The rules as a list: three requests, and one subscription. */
function RuleList() {
  const search = useSearch({ strict: false }) as Search & RuleSearch;
  const navigate = useNavigate();
  const { moment } = useMoment();
  const past = isPast(moment);
  const isNarrow = useNarrow();
  const list = useRules(search);
  const facets = useRuleFacets(search);
  const { names } = useNames(useMemo(() => list.rows.flatMap(namedIds), [list.rows]));
  const columns = useMemo(() => {
    const all = ruleColumns(names, past);
    return isNarrow ? twoLines(all, NARROW_LABELS) : all;
  }, [names, past, isNarrow]);
  const canCreate = useRefusal("createRule") === null;
  useKeys({ n: { label: "New rule", run: () => void navigate({ to: "/rules/new" }) } }, { enabled: !past && canCreate });
  const change = (part: RuleSearch) => void navigate({ to: ".", search: (before: Search) => ({ ...before, ...part }), replace: true });
  const count = facets.data;
  const left = list.totalCount === null ? 0 : list.totalCount - list.rows.length;
  return (
    <div className="stack tight">
      <FilterFold isFiltered={isNarrowed(search)}>
        <search className="filter-bar">
          <SearchField value={search.q ?? ""} placeholder="Name of a rule" onChange={(q) => change({ q: q || undefined })} />
          <FacetMenu
            label={past ? "Severity now" : "Severity"}
            values={[
              { value: "CRITICAL", label: "critical", count: count?.critical.totalCount ?? 0 },
              { value: "HIGH", label: "high", count: count?.high.totalCount ?? 0 },
              { value: "MEDIUM", label: "medium", count: count?.medium.totalCount ?? 0 },
              { value: "LOW", label: "low", count: count?.low.totalCount ?? 0 },
            ]}
            chosen={severitiesOf(search)}
            onChange={(values) => change({ severity: textOfValues(values) })}
          />
          <label>
            {past ? "State now" : "State"}
            <select value={search.active ?? ""} onChange={(event) => change({ active: event.target.value || undefined })}>
              <option value="">Enabled or not</option>
              <option value="yes">Enabled{count ? ` (${count.active.totalCount.toLocaleString("en")})` : ""}</option>
              <option value="no">Disabled{count ? ` (${count.inactive.totalCount.toLocaleString("en")})` : ""}</option>
            </select>
          </label>
          {isNarrowed(search) && (
            <button type="button" className="button quiet" onClick={() => change({ q: undefined, severity: undefined, active: undefined })}>
              Clear filters
            </button>
          )}
        </search>
      </FilterFold>
      <div className="bar">
        {past ? (
          <span className="muted" role="status">
            {list.rows.length.toLocaleString("en")} in force then
            {left > 0 && !list.hasMore && `; ${left.toLocaleString("en")} that exist now, or were deleted since, were not`}
          </span>
        ) : (
          <GridTotal total={list.totalCount} loaded={list.rows.length} what={list.totalCount === 1 ? "rule" : "rules"} />
        )}
      </div>
      <Failed faults={facets.error?.faults ?? facets.faults} retry={() => void facets.refetch()} />
      <Failed faults={list.error?.faults ?? list.faults} retry={list.retry} />
      {list.isLoading && <Loading what="rules" rows={8} />}
      {!list.isLoading && !list.error && list.rows.length === 0 && <NoRules isFiltered={isNarrowed(search)} past={past} />}
      {list.rows.length > 0 && (
        <Grid
          label="Rules"
          columns={columns}
          rows={list.rows}
          idOf={idOf}
          total={past ? list.rows.length : list.totalCount}
          hasMore={list.hasMore}
          readAhead={list.readAhead}
          onOpen={(rule) => void navigate({ to: "/rules/$id", params: { id: rule.id } })}
          {...(isNarrow ? { isFitted: true, rowPx: TWO_LINES_PX } : {})}
          maxHeight="calc(100dvh - 300px)"
        />
      )}
    </div>
  );
}

function NoRules({ isFiltered, past }: { isFiltered: boolean; past: boolean }) {
  if (isFiltered) {
    return (
      <Empty title="No rule matches">
        <Link className="button" to="/rules">
          Show all rules
        </Link>
      </Empty>
    );
  }
  if (past) return <Empty title="No rule was in force at this moment" />;
  return (
    <Empty title="No rules yet">
      <p>A rule watches metrics and opens an alarm when its condition holds. Before it is saved, it is tried on what was measured.</p>
      <ActionLink mutation="createRule" past={false} to="/rules/new" className="button primary">
        New rule…
      </ActionLink>
    </Empty>
  );
}
