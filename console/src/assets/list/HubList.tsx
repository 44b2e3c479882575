import { useNavigate } from "@tanstack/react-router";
import { useCallback, useMemo, useState } from "react";
import { EntityLink } from "../../entities/EntityLink";
import { entityTarget } from "../../entities/paths";
import { useNewcomers } from "../../entities/useNewcomers";
import { isPast } from "../../time/moment";
import { useMoment } from "../../time/useMoment";
import { type Column, Grid, GridTotal } from "../../ui/Grid";
import { SeverityCounts } from "../../ui/SeverityCounts";
import { Empty, Failed, Loading, NowNote } from "../../ui/States";
import { HealthMeter } from "../../ui/Tags";
import { TWO_LINES_PX, twoLines } from "../../ui/TwoLines";
import { useNarrow } from "../../ui/useNarrow";
import { HubFilters } from "./HubFilters";
import { filterOf, type HubKind, type HubSearch, isNarrowed, orderOf } from "./hubFilter";
import { type HubRow, type RowDetail, useHubFacets, useHubRows, useVisibleHubRows } from "./useHubList";

type Props = { kind: HubKind; search: HubSearch; onSearch: (part: Record<string, string | undefined>) => void };

/** The assets or the spaces as a grid with filters. Three requests: rows, totals and facets, details of what is in view. */
export function HubList({ kind, search, onSearch }: Props) {
  const { moment } = useMoment();
  const navigate = useNavigate();
  const rows = useHubRows(kind, search);
  const facets = useHubFacets(kind, search);
  const [visible, setVisible] = useState<readonly HubRow[]>([]);
  const onVisible = useCallback((shown: readonly HubRow[]) => setVisible(shown), []);
  const { details, faults } = useVisibleHubRows(visible);
  const isNarrow = useNarrow();
  const columns = useMemo(() => {
    const all = columnsOf(kind, details, isNarrow);
    return isNarrow ? twoLines(all, NARROW[kind]) : all;
  }, [kind, details, isNarrow]);
  const total = facets.data?.entities.totalCount ?? null;
  const filter = useMemo(() => filterOf(kind, search), [kind, search]);
  const newcomers = useNewcomers([kind], filter, isPast(moment) || rows.isPlaceholder || rows.first === undefined ? undefined : (rows.first.newest.nodes[0]?.createdAt ?? null));
  const what = kind === "ASSET" ? "assets" : "spaces";
  return (
    <>
      <HubFilters kind={kind} search={search} facets={facets.data} onSearch={onSearch} />
      <Failed faults={[...(rows.error?.faults ?? []), ...rows.faults, ...(facets.error?.faults ?? []), ...facets.faults, ...faults]} retry={rows.retry} />
      {isPast(moment) && (
        <p className="muted small">
          Parents, what is inside, devices and alarms are those of the moment shown. <NowNote past /> Names, types, status and health are today's.
        </p>
      )}
      {rows.isLoading ? (
        <Loading what={what} rows={6} />
      ) : rows.nodes.length === 0 && !rows.error ? (
        isNarrowed(kind, search) ? (
          <Empty title={`No ${what} match`}>
            <p>Remove a filter, or search for another part of the name.</p>
          </Empty>
        ) : (
          <Empty title={`There are no ${what} yet`}>
            <p>
              Import a building from Brick or a CSV file, or let the simulator make one: <code>argus simulate</code>.
            </p>
          </Empty>
        )
      ) : (
        <Grid
          label={kind === "ASSET" ? "Assets" : "Spaces"}
          columns={columns}
          rows={rows.nodes}
          idOf={(row) => row.id}
          total={total}
          hasMore={rows.hasMore}
          readAhead={rows.readAhead}
          onOpen={(row) => void navigate(entityTarget(row))}
          order={orderOf(kind, search)}
          onOrder={(order) => onSearch({ order })}
          onVisible={onVisible}
          {...(isNarrow ? { isFitted: true, rowPx: TWO_LINES_PX } : {})}
        />
      )}
      <div className="bar">
        <GridTotal total={total} loaded={rows.nodes.length} what={what} />
        {newcomers > 0 && (
          <button
            type="button"
            className="button primary"
            onClick={() => {
              rows.refetch();
              void facets.refetch();
            }}
          >
            {newcomers.toLocaleString("en")} new – show
          </button>
        )}
      </div>
    </>
  );
}

// What an operator needs on a phone: what is wrong with what.
const NARROW = { ASSET: { health: "health", alarms: "alarms", parent: "in" }, SPACE: { alarms: "alarms", parent: "in" } };

function columnsOf(kind: HubKind, details: ReadonlyMap<string, RowDetail>, isShort: boolean): Column<HubRow>[] {
  const waiting = <span className="skeleton" style={{ width: "60px" }} />;
  const around = (row: HubRow) => details.get(row.id)?.around;
  const own = (row: HubRow) => ({ ...row, ...details.get(row.id)?.own });
  const number = (value: number | null | undefined) => (value === null || value === undefined ? "" : value.toLocaleString("en"));
  const common: Column<HubRow>[] = [
    {
      id: "name",
      title: "Name",
      width: "minmax(190px, 2fr)",
      sort: { ascending: "NAME_ASC", descending: "NAME_DESC" },
      cell: (row) => (
        <>
          <EntityLink entity={{ id: row.id, kind: row.kind, name: own(row).name }} />
          {details.get(row.id)?.own?.isDeleted && <span className="tag bad"> deleted</span>}
        </>
      ),
    },
    {
      id: "type",
      title: "Type",
      width: "minmax(110px, 1fr)",
      sort: { ascending: "TYPE_ASC", descending: "TYPE_DESC" },
      cell: (row) => own(row).type ?? <span className="muted">none</span>,
    },
    {
      id: "status",
      title: "Status",
      width: "90px",
      sort: { ascending: "STATUS_ASC", descending: "STATUS_DESC" },
      cell: (row) => own(row).status,
    },
  ];
  const health: Column<HubRow> = {
    id: "health",
    title: "Health",
    width: "124px",
    sort: { ascending: "HEALTH_ASC", descending: "HEALTH_DESC" },
    cell: (row) => (around(row) ? <HealthMeter score={around(row)?.health} /> : waiting),
  };
  return [
    ...common,
    ...(kind === "ASSET" ? [health] : []),
    {
      id: "alarms",
      title: "Open alarms",
      width: "minmax(150px, 1fr)",
      cell: (row) => (around(row) ? <SeverityCounts counts={around(row)?.alarms} isShort={isShort} /> : waiting),
    },
    {
      id: "parent",
      title: kind === "ASSET" ? "Part of, or in" : "In",
      width: "minmax(150px, 1fr)",
      cell: (row) => {
        const detail = around(row);
        if (!detail) return waiting;
        return detail.parent ? <EntityLink entity={detail.parent} /> : <span className="muted">none</span>;
      },
    },
    kind === "ASSET"
      ? { id: "devices", title: "Devices", width: "80px", number: true, cell: (row) => number(around(row)?.devices) }
      : { id: "inside", title: "Inside", width: "80px", number: true, cell: (row) => number(around(row)?.inside) },
  ];
}
