import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useEffect, useMemo, useState } from "react";
import { countOf, EVERYTHING, isSelected, NOTHING, type Selection, toggled } from "../entities/selection";
import { useNewcomers } from "../entities/useNewcomers";
import type { Search } from "../time/moment";
import { ActionButton, useAllowed } from "../session/ActionButton";
import { isPast } from "../time/moment";
import { useMoment } from "../time/useMoment";
import { Grid, GridTotal } from "../ui/Grid";
import { PageName } from "../ui/PageName";
import { Empty, Failed, Loading } from "../ui/States";
import { TWO_LINES_PX, twoLines } from "../ui/TwoLines";
import { useNarrow } from "../ui/useNarrow";
import { BULK_CHANGES, BulkBar } from "./BulkBar";
import { CreateDeviceDialog } from "./CreateDeviceDialog";
import { deviceColumns, NARROW_LABELS } from "./columns";
import { DeviceFilters, SearchField } from "./DeviceFilters";
import { type DeviceSearch, filterOf, isNarrowed, orderOf } from "./deviceFilter";
import { type DeviceRow, useDeviceList, useFacets } from "./useDevices";
import { useVisibleDevices } from "./useVisibleDevices";
import "../entities/entities.css";
import "./devices.css";

const idOf = (row: DeviceRow) => row.id;
const KINDS = ["DEVICE"] as const;
const NO_ROWS: readonly DeviceRow[] = [];

/** All devices, as a grid of any length: three requests, and one for the rows in view wherever the scrolling rests. */
export function DevicesPage() {
  const search = useSearch({ strict: false }) as Search & DeviceSearch;
  const navigate = useNavigate();
  const { moment } = useMoment();
  const past = isPast(moment);
  const list = useDeviceList(search);
  const facets = useFacets(search);
  const [visible, setVisible] = useState<readonly DeviceRow[]>(NO_ROWS);
  const { details, faults } = useVisibleDevices(visible);
  const [selection, setSelection] = useState<Selection>(NOTHING);
  const canSelect = useAllowed(BULK_CHANGES).length > 0;
  const [isCreating, setCreating] = useState(false);
  const filter = useMemo(() => filterOf(search), [search]);
  const key = JSON.stringify([filter, moment]);
  useEffect(() => setSelection(NOTHING), [key]);
  const { refetch } = list;
  const { refetch: recount } = facets;
  const reload = useCallback(() => {
    refetch();
    void recount();
  }, [refetch, recount]);
  const total = facets.data?.devices.totalCount ?? null;
  const newestAt = past || list.isPlaceholder || list.first === undefined ? undefined : (list.first.newest.nodes[0]?.createdAt ?? null);
  const newcomers = useNewcomers(KINDS, filter, newestAt);
  const isNarrow = useNarrow();
  const columns = useMemo(() => {
    const all = deviceColumns(details, past);
    return isNarrow ? twoLines(all, NARROW_LABELS) : all;
  }, [details, past, isNarrow]);
  const change = (part: DeviceSearch) => void navigate({ to: ".", search: (before: Search) => ({ ...before, ...part }), replace: true });
  return (
    <div className="stack">
      <header className="page-head">
        <PageName name="Devices" />
        {past && (
          <span className="tag past" title="Connection, last seen, names and firmware are not kept by moment in this list">
            those of the moment, with today's fields
          </span>
        )}
        <span className="spring" />
        <ActionButton mutation="createDevice" past={past} onClick={() => setCreating(true)}>
          New device…
        </ActionButton>
      </header>
      <div className="list-layout">
        <DeviceFilters search={search} facets={facets.data} onChange={change} />
        <div className="stack tight">
          <div className="bar">
            <SearchField value={search.q ?? ""} onChange={(q) => change({ q: q || undefined })} />
            {newcomers > 0 && (
              <button type="button" className="button primary" onClick={reload}>
                {newcomers.toLocaleString("en")} new – show
              </button>
            )}
            <GridTotal total={total} loaded={list.nodes.length} what="devices" />
          </div>
          <Failed faults={facets.error?.faults ?? facets.faults} retry={() => void recount()} />
          <Failed faults={list.error?.faults ?? list.faults} retry={list.retry} />
          {list.isLoading && <Loading what="devices" rows={8} />}
          {!list.isLoading && !list.error && list.nodes.length === 0 && (
            <Empty title={isNarrowed(search) ? "No device matches" : "No devices yet"}>
              {isNarrowed(search) ? (
                <p>Remove a filter at the left, or search for something else.</p>
              ) : (
                <>
                  <p>Create the first one, or let simulated ones send:</p>
                  <pre>argus simulate --organization NAME</pre>
                  <ActionButton mutation="createDevice" past={past} className="button primary" onClick={() => setCreating(true)}>
                    New device…
                  </ActionButton>
                </>
              )}
            </Empty>
          )}
          {list.nodes.length > 0 && (
            <Grid
              label="Devices"
              columns={columns}
              rows={list.nodes}
              idOf={idOf}
              total={total}
              hasMore={list.hasMore}
              readAhead={list.readAhead}
              onOpen={(row) => void navigate({ to: "/devices/$id", params: { id: row.id } })}
              selected={(row) => isSelected(selection, row.id)}
              {...(canSelect
                ? {
                    onToggle: (row: DeviceRow) => setSelection(toggled(selection, row.id)),
                    onToggleAll: () => setSelection(selection.kind === "all" ? NOTHING : EVERYTHING),
                  }
                : {})}
              areAllSelected={selection.kind === "all"}
              order={orderOf(search)}
              onOrder={(order) => change({ order })}
              onVisible={setVisible}
              {...(isNarrow ? { isFitted: true, rowPx: TWO_LINES_PX } : {})}
              maxHeight="calc(100dvh - 250px)"
            />
          )}
          <Failed faults={faults} />
        </div>
      </div>
      {(countOf(selection, total) ?? 1) > 0 && (
        <BulkBar selection={selection} filter={filter} total={total} isReadOnly={past} onClear={() => setSelection(NOTHING)} onDone={reload} />
      )}
      {isCreating && <CreateDeviceDialog onClose={() => setCreating(false)} />}
    </div>
  );
}
