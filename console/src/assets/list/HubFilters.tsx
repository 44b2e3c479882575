import type { HubFacetsQuery } from "../../api/gen/graphql";
import { type Choice, Picker } from "../../ui/Picker";
import { FacetMenu } from "../../ui/FacetMenu";
import { FilterFold } from "../../ui/FilterFold";
import { textOfValues, valuesOf } from "../../ui/listParams";
import { SearchField } from "../../ui/SearchField";
import { healthBelow, type HubKind, type HubSearch, isNarrowed } from "./hubFilter";

type Props = {
  kind: HubKind;
  search: HubSearch;
  facets: HubFacetsQuery | undefined;
  onSearch: (part: Record<string, string | undefined>) => void;
};

/** What narrows the list: in the address, so that a link is a filter. */
export function HubFilters({ kind, search, facets, onSearch }: Props) {
  const open = (facets?.alarms ?? []).flatMap((facet) => facet.values);
  const withAlarms = open.reduce((sum, facet) => sum + (facet.value === null || facet.value === undefined ? 0 : facet.count), 0);
  const under = facets?.under && "name" in facets.under ? facets.under : null;
  const chosenUnder: Choice | null = search.under ? { id: search.under, name: under?.name ?? "…", kind: under?.kind ?? "SPACE", type: under?.type ?? null } : null;
  return (
    <FilterFold isFiltered={isNarrowed(kind, search)}>
      <search className="hub-filters">
        <SearchField
          value={search.q ?? ""}
          placeholder={kind === "ASSET" ? "Name or external id" : "Name, room number"}
          onChange={(q) => onSearch({ q: q || undefined })}
        />
        <FacetMenu
          label="Type"
          values={facets?.type[0]?.values ?? []}
          chosen={valuesOf(search.type)}
          onChange={(values) => onSearch({ type: textOfValues(values) })}
        />
        <FacetMenu
          label="Status"
          values={facets?.status[0]?.values ?? []}
          chosen={valuesOf(search.status)}
          onChange={(values) => onSearch({ status: textOfValues(values) })}
        />
        <button
          type="button"
          className="button"
          aria-pressed={search.alarms === "yes"}
          onClick={() => onSearch({ alarms: search.alarms === "yes" ? undefined : "yes" })}
        >
          With open alarms{facets && <span className="muted number">{withAlarms.toLocaleString("en")}</span>}
        </button>
        {kind === "ASSET" && (
          <label>
            Health below
            <input
              type="number"
              min={1}
              max={100}
              value={healthBelow(search) ?? ""}
              placeholder="any"
              onChange={(event) => onSearch({ health: event.target.value || undefined })}
            />
          </label>
        )}
        <div className="hub-under">
          <Picker label="Located under" kinds={["SPACE", "ASSET"]} value={chosenUnder} onChoose={(choice) => onSearch({ under: choice?.id })} />
        </div>
        {isNarrowed(kind, search) && (
          <button
            type="button"
            className="button quiet"
            onClick={() => onSearch({ q: undefined, type: undefined, status: undefined, alarms: undefined, health: undefined, under: undefined })}
          >
            Clear filters
          </button>
        )}
      </search>
    </FilterFold>
  );
}
