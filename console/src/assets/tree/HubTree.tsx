import { useNavigate } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react";
import { entityTarget } from "../../entities/paths";
import { isPast } from "../../time/moment";
import { useMoment } from "../../time/useMoment";
import { Empty, Failed, Loading, NowNote } from "../../ui/States";
import type { HubKind } from "../hubFilter";
import { above, rowsOf, type TreeRow } from "./branches";
import { TreeLine } from "./TreeLine";
import { type NodeDetail, useAlarmsBelow, useTreeRows } from "./useTreeDetails";
import { useTree } from "./useTree";

const ROW_PX = { comfortable: 34, compact: 27 };
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
  const rows = useMemo(
    () => rowsOf(tree.roots, tree.branches, tree.expanded, (id) => isEmptyNode(details.get(id), kind) && !tree.branches.has(id)),
    [tree.roots, tree.branches, tree.expanded, details, kind],
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
      <Failed faults={[...(tree.error?.faults ?? []), ...faults, ...alarms.faults]} />
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
          style={{ height: `min(70vh, ${Math.max(rows.length * rowPx + 4, 200)}px)` }}
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
                  detail={details.get(row.node.id)}
                  tally={alarms.tallies.get(row.node.id)}
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
          {alarms.isPartial ? "; of the open alarms the newest 500 are counted" : ""}
        </span>
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

/** Whether nothing is below a node at the moment shown; false while that is not known. */
function isEmptyNode(detail: NodeDetail | undefined, kind: HubKind): boolean {
  if (detail === undefined || !("children" in detail)) return false;
  const below = detail.children?.totalCount ?? 0;
  return kind === "SPACE" ? below === 0 : below + (detail.located?.totalCount ?? 0) + (detail.devices?.totalCount ?? 0) === 0;
}
