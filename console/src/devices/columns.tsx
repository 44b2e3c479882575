import { EntityLink } from "../entities/EntityLink";
import type { Column } from "../ui/Grid";
import { Sparkline } from "../ui/Sparkline";
import { ConnectivityTag, SeverityTag } from "../ui/Tags";
import { Age } from "../ui/Time";
import type { DeviceRow } from "./useDevices";
import type { RowDetail } from "./useVisibleDevices";

/** The columns of the list of devices; what changes live comes from the details of the rows in view. */
export function deviceColumns(details: ReadonlyMap<string, RowDetail>, isPast = false): Column<DeviceRow>[] {
  // What is not kept by moment says so in its head.
  const today = (title: string) => (isPast ? `${title} now` : title);
  const shown = (row: DeviceRow) => ({ ...row, ...details.get(row.id) });
  return [
    {
      id: "name",
      title: "Name",
      width: "minmax(168px, 2fr)",
      sort: { ascending: "NAME_ASC", descending: "NAME_DESC" },
      cell: (row) => (
        <>
          <EntityLink entity={{ id: row.id, kind: "DEVICE", name: shown(row).name }} />
          {shown(row).isDeleted && <span className="tag bad"> retired</span>}
        </>
      ),
    },
    {
      id: "type",
      title: "Type",
      width: "minmax(128px, 1fr)",
      sort: { ascending: "TYPE_ASC", descending: "TYPE_DESC" },
      cell: (row) => shown(row).type ?? <span className="muted">none</span>,
    },
    {
      id: "status",
      title: "Status",
      width: "66px",
      sort: { ascending: "STATUS_ASC", descending: "STATUS_DESC" },
      cell: (row) => shown(row).status,
    },
    { id: "connectivity", title: today("Connection"), width: isPast ? "136px" : "118px", cell: (row) => <ConnectivityTag connectivity={shown(row).connectivity} /> },
    {
      id: "seen",
      title: today("Seen"),
      width: "72px",
      number: true,
      sort: { ascending: "LAST_SEEN_ASC", descending: "LAST_SEEN_DESC" },
      cell: (row) => <Age at={shown(row).lastSeenAt} />,
    },
    {
      id: "sparkline",
      title: "24 h",
      width: "96px",
      cell: (row) => {
        const detail = details.get(row.id);
        if (detail?.sparkline === undefined) return <span className="skeleton" style={{ width: "84px" }} />;
        return detail.sparkline === null ? <span className="muted">no values</span> : <Sparkline {...detail.sparkline} />;
      },
    },
    {
      id: "alarms",
      title: "Alarms",
      width: "80px",
      cell: (row) => {
        const alarms = details.get(row.id)?.alarms;
        return alarms ? <SeverityTag severity={alarms.severity} count={alarms.count} /> : alarms === null ? "none" : <span className="skeleton" style={{ width: "40px" }} />;
      },
    },
    { id: "assets", title: today("Assets"), width: isPast ? "98px" : "74px", number: true, cell: (row) => shown(row).linkedAssetsCount.toLocaleString("en") },
    { id: "firmware", title: "Firmware", width: "92px", cell: (row) => shown(row).firmwareVersion ?? "unknown" },
  ];
}

/** What an operator needs on a phone: what is away, and what is wrong with it. */
export const NARROW_LABELS = { connectivity: "", seen: "seen", alarms: "alarms" };
