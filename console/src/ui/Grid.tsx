import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useKeys } from "./keys";
import { positionToReturn, rememberPosition } from "./positions";

export type Column<N> = {
  id: string;
  title: string;
  /** Width as a grid track, e.g. "minmax(200px, 2fr)" or "120px". */
  width: string;
  number?: boolean;
  cell: (row: N, visible: boolean) => ReactNode;
  sort?: { ascending: string; descending: string };
};

type Props<N> = {
  label: string;
  columns: readonly Column<N>[];
  rows: readonly N[];
  idOf: (row: N) => string;
  total: number | null;
  hasMore: boolean;
  /** Called while the end of what is loaded is near. */
  readAhead: () => void;
  onOpen: (row: N) => void;
  selected?: (row: N) => boolean;
  onToggle?: (row: N) => void;
  /** Selects all that match, or none; the box in the head shows `areAllSelected`. */
  onToggleAll?: () => void;
  areAllSelected?: boolean;
  order?: string | undefined;
  onOrder?: (order: string) => void;
  onVisible?: (rows: readonly N[]) => void;
  /** Called with the row on which keys act, when another becomes it. */
  onActive?: (row: N | null) => void;
  /** What a row shows instead of its columns, over their whole width, e.g. the head of a group; null: its columns. */
  wide?: (row: N) => ReactNode | null;
  /** A class of the row, e.g. of what no longer belongs here. */
  rowClass?: (row: N) => string;
  /** Height of a row where it is not that of the chosen density. */
  rowPx?: number;
  /** Rows are no wider than the grid: for one column on a narrow screen. */
  isFitted?: boolean;
  /** As high as its rows, up to this length of CSS. */
  maxHeight?: string;
};

const ROW_PX = { comfortable: 34, compact: 27 };
const HEAD_PX = 34;
// A list of one row is no thinner than one of three, and leaves room for a horizontal scroll bar.
const LEAST_ROWS = 3;
const SCROLL_BAR_PX = 16;
// Read ahead so far before the end of what is loaded.
const AHEAD = 60;

/**
 * A grid of any number of rows, of which only those in view are in the page.
 *
 * Keys, while nothing else has them: j k or arrows move, Enter opens, x selects. Screen readers get the active
 * row by aria-activedescendant, as long as it is drawn, and the total by aria-rowcount.
 */
export function Grid<N>(props: Props<N>) {
  const { rows, columns, idOf, hasMore, readAhead } = props;
  const scroller = useRef<HTMLDivElement>(null);
  // By its id: the active row stays active when rows come before it.
  const [returned] = useState(() => positionToReturn(props.label));
  const [activeId, setActiveId] = useState<string | null>(returned?.activeId ?? null);
  const active = activeId === null ? -1 : rows.findIndex((entry) => idOf(entry) === activeId);
  const setActive = (index: number) => {
    const entry = rows[index];
    setActiveId(entry === undefined ? null : idOf(entry));
    props.onActive?.(entry ?? null);
  };
  const rowPx = props.rowPx ?? (document.documentElement.dataset.density === "compact" ? ROW_PX.compact : ROW_PX.comfortable);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowPx,
    overscan: 1,
  });
  const open = (entry: N) => {
    rememberPosition(props.label, { activeId: idOf(entry), top: scroller.current?.scrollTop ?? 0 });
    props.onOpen(entry);
  };
  // Who comes back from a row goes on where the list was left, as soon as it has its rows again.
  const isFilled = returned !== null && rows.length > 0;
  useEffect(() => {
    if (!isFilled) return;
    const frame = requestAnimationFrame(() => {
      scroller.current?.scrollTo({ top: returned.top });
      scroller.current?.focus({ preventScroll: true });
    });
    return () => cancelAnimationFrame(frame);
  }, [isFilled, returned]);
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  const first = items[0]?.index ?? 0;
  useEffect(() => {
    if (hasMore && last > rows.length - AHEAD) readAhead();
  }, [hasMore, last, rows.length, readAhead]);

  const { onVisible } = props;
  useEffect(() => {
    // After the scrolling has come to rest: what flies by is not asked for.
    const timer = setTimeout(() => onVisible?.(rows.slice(first, last + 1)), 120);
    return () => clearTimeout(timer);
  }, [rows, first, last, onVisible]);

  const move = (by: number) => {
    const next = Math.max(0, Math.min(rows.length - 1, active + by));
    setActive(next);
    virtual.scrollToIndex(next);
  };
  const row = rows[active];
  useKeys(
    {
      j: { label: "Next row", run: () => move(1) },
      k: { label: "Previous row", run: () => move(-1) },
      Enter: { label: "Open the row", run: () => row !== undefined && open(row) },
      x: { label: "Select the row", run: () => row !== undefined && props.onToggle?.(row) },
    },
    { enabled: rows.length > 0 },
  );
  const template = (props.onToggle ? "36px " : "") + columns.map((column) => column.width).join(" ");
  // Head and rows are grids of their own: one least width for all of them keeps their columns in line.
  const least = columns.reduce((sum, column) => sum + Number(/\d+(?=px)/.exec(column.width)?.[0] ?? 0), props.onToggle ? 36 : 0);
  const minWidth = props.isFitted ? 0 : least;
  return (
    // The rows are reached by keys that move the active row; a grid is focusable as a whole.
    <div
      className={props.isFitted ? "grid fitted" : "grid"}
      role="grid"
      aria-label={props.label}
      aria-rowcount={(props.total ?? rows.length) + 1}
      aria-colcount={columns.length}
      aria-multiselectable={props.onToggle ? true : undefined}
      aria-activedescendant={row === undefined || active < first || active > last ? undefined : `row-${idOf(row)}`}
      tabIndex={0}
      ref={scroller}
      style={{ height: `min(${props.maxHeight ?? "min(68vh, 900px)"}, ${HEAD_PX + Math.max(rows.length, LEAST_ROWS) * rowPx + SCROLL_BAR_PX}px)` }}
      onKeyDown={(event) => {
        const by = { ArrowDown: 1, ArrowUp: -1, PageDown: 20, PageUp: -20, Home: -1e9, End: 1e9 }[event.key];
        if (by !== undefined && event.target === event.currentTarget) {
          event.preventDefault();
          move(by);
        }
      }}
    >
      <div className="grid-head" role="row" aria-rowindex={1} style={{ gridTemplateColumns: template, minWidth }}>
        {props.onToggle && (
          <span role="columnheader" className="check">
            {props.onToggleAll ? (
              <input type="checkbox" aria-label="Select all that match" checked={props.areAllSelected ?? false} onChange={props.onToggleAll} />
            ) : (
              <span className="visually-hidden">Selected</span>
            )}
          </span>
        )}
        {columns.map((column) => (
          <Head key={column.id} column={column} order={props.order} onOrder={props.onOrder} />
        ))}
      </div>
      <div className="grid-body" role="rowgroup" style={{ height: `${virtual.getTotalSize()}px` }}>
        {items.map((item) => {
          const entry = rows[item.index];
          if (entry === undefined) return null;
          const isSelected = props.selected?.(entry) ?? false;
          const wide = props.wide?.(entry) ?? null;
          if (wide !== null) {
            return (
              <div
                className={`grid-row wide ${props.rowClass?.(entry) ?? ""}`}
                role="row"
                key={idOf(entry)}
                id={`row-${idOf(entry)}`}
                aria-rowindex={item.index + 2}
                data-active={item.index === active}
                style={{ height: rowPx, transform: `translateY(${item.start}px)` }}
                onClick={() => setActive(item.index)}
                onDoubleClick={() => open(entry)}
              >
                <span role="gridcell" aria-colspan={columns.length + (props.onToggle ? 1 : 0)}>
                  {wide}
                </span>
              </div>
            );
          }
          return (
            <div
              className={`grid-row ${props.rowClass?.(entry) ?? ""}`}
              role="row"
              key={idOf(entry)}
              id={`row-${idOf(entry)}`}
              aria-rowindex={item.index + 2}
              aria-selected={props.onToggle ? isSelected : undefined}
              data-active={item.index === active}
              style={{ gridTemplateColumns: template, minWidth, height: rowPx, transform: `translateY(${item.start}px)` }}
              onClick={() => {
                setActive(item.index);
                // A link in it may have been followed.
                rememberPosition(props.label, { activeId: idOf(entry), top: scroller.current?.scrollTop ?? 0 });
              }}
              onDoubleClick={() => open(entry)}
            >
              {props.onToggle && (
                <span role="gridcell" className="check">
                  <input
                    type="checkbox"
                    tabIndex={-1}
                    checked={isSelected}
                    aria-label="Select this row"
                    onChange={() => props.onToggle?.(entry)}
                  />
                </span>
              )}
              {columns.map((column) => (
                <span role="gridcell" key={column.id} className={column.number ? "number" : ""}>
                  {column.cell(entry, true)}
                </span>
              ))}
            </div>
          );
        })}
      </div>
    </div>
  );
}

function Head<N>({
  column,
  order,
  onOrder,
}: {
  column: Column<N>;
  order: string | undefined;
  onOrder: ((order: string) => void) | undefined;
}) {
  const sort = column.sort;
  const direction = sort && order === sort.ascending ? "ascending" : sort && order === sort.descending ? "descending" : "none";
  return (
    <span role="columnheader" aria-sort={sort ? direction : undefined} className={column.number ? "number" : ""}>
      {sort && onOrder ? (
        <button
          type="button"
          className="head-button"
          onClick={() => onOrder(direction === "ascending" ? sort.descending : sort.ascending)}
        >
          {column.title}
          <span aria-hidden="true">{direction === "ascending" ? " ↑" : direction === "descending" ? " ↓" : ""}</span>
        </button>
      ) : (
        column.title
      )}
    </span>
  );
}

/** What a list says below itself: how many there are, how many are loaded. */
export function GridTotal({ total, loaded, what }: { total: number | null; loaded: number; what: string }) {
  if (total === null) return <span className="muted">…</span>;
  const text = total === loaded ? `${total.toLocaleString("en")} ${what}` : `${total.toLocaleString("en")} ${what}, ${loaded.toLocaleString("en")} loaded`;
  return (
    <span className="muted number" role="status">
      {text}
    </span>
  );
}
