import { useNavigate } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react";
import { entityTarget } from "../../entities/paths";
import { useNewcomers } from "../../entities/useNewcomers";
import { isPast } from "../../time/moment";
import { useMoment, useShown } from "../../time/useMoment";
import { Empty, Failed, Loading, NowNote } from "../../ui/States";
import type { HubKind } from "../list/hubFilter";
import { above, rowsOf, type TreeRow } from "./branches";
import { branchesAt } from "./preview";
import { TreeLine } from "./TreeLine";
import { type NodeDetail, useAlarmsBelow, useTreeRows } from "./useTreeDetails";
import { useTree } from "./useTree";
import { useTreeVersions } from "./useTreeVersions";

const ROW_PX = { comfortable: 34, compact: 27 };
const LEAST_ROWS = 3;
const KINDS = { ASSET: ["SPACE", "ASSET"], SPACE: ["SPACE"] } as const;
const FILTERS = { ASSET: { kinds: [...KINDS.ASSET] }, SPACE: { kinds: [...KINDS.SPACE] } };
const NO_IDS: readonly string[] = [];

/**
 * Spaces, what is located in them, its parts and devices, unfolded step by step; only the rows in view are in the page.
 *
 * Keys: arrows move, unfold and fold; Home and End; Enter opens the page of the entity.
 */
export function HubTree({ kind }: { kind: HubKind }) {
  const { moment } = useMoment();
  const navigate = useNavigate();
  const tree = useTree(kind);
  const alarms = useAlarmsBelow();
  const scroller = useRef<HTMLDivElement>(null);
  const [activePath, setActivePath] = useState<string | null>(null);
  const [visibleIds, setVisibleIds] = useState<readonly string[]>(NO_IDS);
  const { details, faults } = useTreeRows(visibleIds);
  const versions = useTreeVersions(kind, tree.expandedIds);
  const shown = useShown();
  // While the thumb moves, what is unfolded follows it by the versions at hand; what is counted is of another moment.
  const isPreview = shown.isPreview && versions.isWhole;
  const branches = useMemo(
    () => (isPreview ? branchesAt(kind, tree.expandedIds, versions.versions, tree.branches, shown) : tree.branches),
    [isPreview, kind, tree.expandedIds, versions.versions, tree.branches, shown.asOf, shown.knownAt],
  );
  const newcomers = useNewcomers(KINDS[kind], FILTERS[kind], isPast(moment) ? undefined : tree.newestAt);
  const { expandedIds, reload } = tree;
  // An edge is announced by nothing: where a count is another one, what is below the node is requested again.
  const counts = useRef({ moment: "", below: new Map<string, number>() });
  useEffect(() => {
    const at = JSON.stringify(moment);
    if (counts.current.moment !== at) counts.current = { moment: at, below: new Map() };
    const changed = expandedIds.filter((id) => {
      const count = belowOf(details.get(id)?.around, kind);
      const before = counts.current.below.get(id);
      if (count !== null) counts.current.below.set(id, count);
      return count !== null && before !== undefined && before !== count;
    });
    if (changed.length > 0) reload(changed);
  }, [details, expandedIds, reload, kind, moment]);
  const rows = useMemo(
    () => rowsOf(tree.roots, branches, tree.expanded, (id) => belowOf(details.get(id)?.around, kind) === 0 && !branches.has(id)),
    [tree.roots, branches, tree.expanded, details, kind],
  );
  const rowPx = document.documentElement.dataset.density === "compact" ? ROW_PX.compact : ROW_PX.comfortable;
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => scroller.current, estimateSize: () => rowPx, overscan: 6 });
  const items = virtual.getVirtualItems();
  const first = items[0]?.index ?? 0;
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    const timer = setTimeout(() => {
      const ids = [...new Set(rows.slice(first, last + 1).flatMap((row) => (row.what === "node" ? [row.node.id] : [])))];
      setVisibleIds((before) => (before.join() === ids.join() ? before : ids));
    }, 120);
    return () => clearTimeout(timer);
  }, [rows, first, last]);

  const activeIndex = rows.findIndex((row) => row.path === activePath);
  const active = rows[activeIndex];
  const goTo = (index: number) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, index))];
    if (!row) return;
    setActivePath(row.path);
    virtual.scrollToIndex(rows.indexOf(row));
  };
  const open = (row: TreeRow) => {
    if (row.what === "node") void navigate(entityTarget(row.node));
    else if (row.what !== "loading") tree.loadMore(row.node.id);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 400) / rowPx) - 1);
    if (event.key === "ArrowDown") goTo(activeIndex + 1);
    else if (event.key === "ArrowUp") goTo(activeIndex - 1);
    else if (event.key === "PageDown") goTo(activeIndex + page);
    else if (event.key === "PageUp") goTo(activeIndex - page);
    else if (event.key === "Home") goTo(0);
    else if (event.key === "End") goTo(rows.length - 1);
    else if (event.key === "Enter" && active) open(active);
    else if (event.key === "ArrowRight" && active?.what === "node" && active.canExpand) {
      if (active.isExpanded) goTo(activeIndex + 1);
      else tree.toggle(active.path, true);
    } else if (event.key === "ArrowLeft" && active) {
      if (active.what === "node" && active.isExpanded) tree.toggle(active.path, false);
      else {
        const parent = active.what === "node" ? above(active.path) : active.parent;
        goTo(rows.findIndex((row) => row.path === parent));
      }
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const label = kind === "ASSET" ? "Tree of spaces, assets and devices" : "Tree of spaces";
  if (tree.isLoading) return <Loading what="the tree" rows={6} />;
  return (
    <>
      <Failed faults={[...(tree.error?.faults ?? []), ...tree.faults]} retry={tree.retry} />
      <Failed faults={versions.faults} retry={versions.retry} />
      <Failed faults={[...faults, ...alarms.faults]} />
      {isPast(moment) && (
        <p className="muted small">
          The tree, its counts and its alarms are those of the moment shown. <NowNote past /> Names, health and connections are today's.
        </p>
      )}
      {rows.length === 0 && !tree.error ? (
        <Empty title={isPast(moment) ? "There was nothing at this moment" : "There is nothing yet"}>
          <p>
            {isPast(moment) ? "Move the time bar to a later moment." : "Import a building from Brick or a CSV file, or let the simulator make one: "}
            {!isPast(moment) && <code>argus simulate</code>}
          </p>
        </Empty>
      ) : (
        <div
          className="tree"
          role="tree"
          aria-label={label}
          tabIndex={0}
          ref={scroller}
          style={{ height: `min(70vh, ${Math.max(rows.length, LEAST_ROWS) * rowPx + 4}px)` }}
          aria-activedescendant={active && activeIndex >= first && activeIndex <= last ? rowId(active) : undefined}
          onFocus={() => activeIndex < 0 && setActivePath(rows[0]?.path ?? null)}
          onKeyDown={onKeyDown}
        >
          <div className="tree-body" role="presentation" style={{ height: `${virtual.getTotalSize()}px` }}>
            {items.map((item) => {
              const row = rows[item.index];
              return row === undefined ? null : (
                <TreeLine
                  key={row.path}
                  id={rowId(row)}
                  row={row}
                  top={item.start}
                  detail={shown.isPreview ? undefined : details.get(row.node.id)}
                  alarmCounts={shown.isPreview ? undefined : alarms.counts.get(row.node.id)}
                  isActive={item.index === activeIndex}
                  onActivate={() => setActivePath(row.path)}
                  onToggle={() => row.what === "node" && tree.toggle(row.path, !row.isExpanded)}
                  onOpen={() => open(row)}
                />
              );
            })}
          </div>
        </div>
      )}
      <div className="bar">
        <span className="muted number" role="status">
          {rows.length === 1 ? "1 row" : `${rows.length.toLocaleString("en")} rows`} shown
          {shown.isPreview ? (isPreview ? "; what is unfolded follows the time bar, all else once it rests" : "; the tree follows once the time bar rests") : ""}
          {alarms.isPartial ? "; of the open alarms the newest 500 are counted" : ""}
        </span>
        {newcomers > 0 && (
          <button
            type="button"
            className="button primary"
            onClick={() => {
              tree.refetch();
              tree.reload(tree.expandedIds);
            }}
          >
            {newcomers.toLocaleString("en")} new – show
          </button>
        )}
        {tree.unseen > 0 && (
          <button type="button" className="button" onClick={tree.seeMore}>
            Look for more roots among {tree.unseen.toLocaleString("en")} others
          </button>
        )}
      </div>
    </>
  );
}

function rowId(row: TreeRow): string {
  return `tree-${row.path}`;
}

/** Return how many are directly below a node at the moment shown, as far as the tree shows them; null: not known. */
function belowOf(detail: NodeDetail | undefined, kind: HubKind): number | null {
  if (detail === undefined || !("children" in detail)) return null;
  const below = detail.children?.totalCount ?? 0;
  return kind === "SPACE" ? below : below + (detail.located?.totalCount ?? 0) + (detail.devices?.totalCount ?? 0);
}
