import { Link } from "@tanstack/react-router";
import { entityTarget } from "../../entities/paths";
import { SeverityCounts } from "../../ui/SeverityCounts";
import { ConnectivityTag, HealthMeter } from "../../ui/Tags";
import type { AlarmCounts } from "./alarmsBelow";
import type { TreeRow } from "./branches";
import type { NodeDetail, TreeDetail } from "./useTreeDetails";

const SIGNS: Record<string, [sign: string, word: string]> = {
  SPACE: ["⌂", "space"],
  ASSET: ["⚙", "asset"],
  DEVICE: ["▣", "device"],
};
const INDENT_PX = 20;

type Props = {
  id: string;
  row: TreeRow;
  top: number;
  detail: TreeDetail | undefined;
  alarmCounts: AlarmCounts | undefined;
  isActive: boolean;
  onActivate: () => void;
  onToggle: () => void;
  onOpen: () => void;
};

/** A row of the tree: an entity with its counts, health and alarms, or what an unfolded one waits for. */
export function TreeLine({ id, row, top, detail: known, alarmCounts, isActive, onActivate, onToggle, onOpen }: Props) {
  const style = { transform: `translateY(${top}px)`, paddingLeft: `${10 + Math.min(row.level - 1, 12) * INDENT_PX}px` };
  const common = { id, role: "treeitem", className: "tree-row", "aria-level": row.level, "data-active": isActive, style } as const;
  if (row.what !== "node") {
    return (
      <div {...common} aria-selected={isActive} onClick={onActivate}>
        {row.what === "more" || row.what === "failed" ? (
          <button type="button" className="button quiet" tabIndex={-1} onClick={onOpen}>
            {row.what === "failed" ? `${row.text} Try again` : `More below ${row.node.name}…`}
          </button>
        ) : (
          <span className="muted">{row.text}</span>
        )}
      </div>
    );
  }
  const detail = known?.around;
  const { name, type } = { ...row.node, ...known?.own };
  const [sign, word] = SIGNS[row.node.kind] ?? ["·", row.node.kind.toLowerCase()];
  return (
    <div
      {...common}
      aria-selected={isActive}
      aria-expanded={row.canExpand ? row.isExpanded : undefined}
      aria-setsize={row.size}
      aria-posinset={row.position}
      onClick={onActivate}
      onDoubleClick={onOpen}
    >
      <span className="tree-fold" aria-hidden="true" onClick={row.canExpand ? onToggle : undefined}>
        {row.canExpand ? (row.isExpanded ? "▾" : "▸") : ""}
      </span>
      <span className="tree-sign" title={word}>
        <span aria-hidden="true">{sign}</span>
        <span className="visually-hidden">{word}</span>
      </span>
      <span className="name">
        <Link {...entityTarget(row.node)} tabIndex={-1}>
          {name}
        </Link>
        {type && <span className="muted small">{type}</span>}
        {known?.own?.isDeleted && <span className="tag bad">deleted</span>}
      </span>
      <span className="spring" />
      {detail?.__typename === "Device" && <ConnectivityTag connectivity={detail.connectivity} />}
      {alarmCounts && <SeverityCounts counts={alarmCounts} />}
      {detail?.__typename === "Asset" && detail.healthScore !== null && detail.healthScore !== undefined && <HealthMeter score={detail.healthScore} />}
      <span className="muted small tree-counts">{countsText(detail)}</span>
    </div>
  );
}

/** Return what is directly below, in words: "4 parts, 2 located there, 1 device". */
function countsText(detail: NodeDetail | undefined): string {
  if (detail === undefined || !("children" in detail)) return "";
  const children = detail.children?.totalCount ?? 0;
  const located = detail.located?.totalCount ?? 0;
  const devices = detail.devices?.totalCount ?? 0;
  const unit = detail.__typename === "Space" ? "spaces" : "parts";
  return [
    children > 0 ? counted(children, unit) : "",
    located > 0 ? `${located.toLocaleString("en")} in it` : "",
    devices > 0 ? counted(devices, "devices") : "",
  ]
    .filter((part) => part !== "")
    .join(", ");
}

function counted(count: number, unit: string): string {
  return `${count.toLocaleString("en")} ${count === 1 ? unit.slice(0, -1) : unit}`;
}
