import { openEvents } from "../alarms/openEvents";
import { graphql } from "../api/gen";
import type { VisibleDevicesQuery, VisibleDevicesQueryVariables } from "../api/gen/graphql";
import { useLive } from "../api/live";
import type { Fault } from "../api/request";
import { useAlarmedRows } from "../entities/useChangedRows";
import { useRowDetails } from "../entities/useRowDetails";
import { now, textOf } from "../time/instant";
import { isPast } from "../time/moment";
import { useMoment } from "../time/useMoment";
import { SEVERITIES, type Severity } from "../ui/Tags";
import type { DeviceRow } from "./useDevices";

const VISIBLE = graphql(`
  query VisibleDevices($ids: [ID!]!, $from: DateTime!, $to: DateTime!, $states: [EventState!], $openAt: DateTime) {
    nodes(ids: $ids) {
      id
      ... on Device {
        connectivity
        lastSeenAt
        linkedAssetsCount
        telemetry(from: $from, to: $to, bucket: "PT1H") {
          metric
          port
          unit
          type
          values
        }
      }
    }
    events(filter: { entityIds: $ids, states: $states, openAt: $openAt }, first: 500) {
      nodes {
        id
        severity
        entity {
          id
        }
      }
    }
  }
`);

const CHANGED = graphql(`
  subscription VisibleDevicesChanged($ids: [ID!]!) {
    entityChanged(ids: $ids) {
      id
      name
      type
      status
      deletedAt
      ... on Device {
        connectivity
        lastSeenAt
        linkedAssetsCount
        firmwareVersion
      }
    }
  }
`);

export type Sparkline = { label: string; unit: string | null; values: readonly (number | null)[] };
/** What is added to a row while it is in view. */
export type RowDetail = Partial<Pick<DeviceRow, "name" | "type" | "status" | "connectivity" | "lastSeenAt" | "linkedAssetsCount" | "firmwareVersion">> & {
  sparkline?: Sparkline | null;
  alarms?: { severity: Severity; count: number } | null;
  isDeleted?: boolean;
};

const HOUR_US = 3600e6;
const REFRESH_MS = 30_000;
const NONE: readonly string[] = [];

/** Details of the rows in view, by id: one request for all of them once the scrolling rests, then live. */
export function useVisibleDevices(rows: readonly DeviceRow[]): { details: ReadonlyMap<string, RowDetail>; faults: Fault[] } {
  const { moment } = useMoment();
  const ids = rows.length === 0 ? NONE : rows.map((row) => row.id);
  const isLive = !isPast(moment);
  const end = isPast(moment) ? moment.at : Math.ceil(now() / HOUR_US) * HOUR_US;
  const from = Math.floor(end / HOUR_US) * HOUR_US - 24 * HOUR_US;
  const { details, push, refetch, faults } = useRowDetails<VisibleDevicesQuery, VisibleDevicesQueryVariables, RowDetail>({
    document: VISIBLE,
    variables: { ids: [...ids], from: textOf(from), to: textOf(end), ...openEvents(moment) },
    enabled: ids.length > 0,
    detailsOf,
    staleMs: 20_000,
    refetchMs: REFRESH_MS,
  });
  useAlarmedRows(ids, refetch);
  useLive(CHANGED, isLive && ids.length > 0 ? { ids: [...ids] } : null, ({ entityChanged }) => {
    const { id, deletedAt, ...fields } = entityChanged;
    push(id, { ...fields, isDeleted: Boolean(deletedAt) });
  });
  return { details, faults };
}

function detailsOf(data: VisibleDevicesQuery): Map<string, RowDetail> {
  const details = new Map<string, RowDetail>();
  for (const node of data.nodes) {
    if (!node || !("telemetry" in node)) continue;
    const { id, telemetry, ...fields } = node;
    const series = (telemetry ?? []).find(({ type, values }) => type === "NUMBER" && values.some((value) => value !== null));
    const label = series === undefined ? "" : `${series.metric}${series.port === null || series.port === undefined ? "" : `, port ${series.port}`}`;
    details.set(id, { ...fields, alarms: null, sparkline: series ? { label, unit: series.unit ?? null, values: series.values } : null });
  }
  for (const event of data.events.nodes) {
    const detail = details.get(event.entity.id);
    if (!detail) continue;
    const severity = worst(detail.alarms?.severity, event.severity);
    detail.alarms = { severity, count: (detail.alarms?.count ?? 0) + 1 };
  }
  return details;
}

function worst(a: Severity | undefined, b: Severity): Severity {
  return a !== undefined && SEVERITIES.indexOf(a) < SEVERITIES.indexOf(b) ? a : b;
}
