import { Navigate, useParams } from "@tanstack/react-router";
import { graphql } from "../api/gen";
import { useApi, useChange } from "../api/hooks";
import { LinksTab } from "../edges/LinksTab";
import { AttributesForm } from "../entities/AttributesForm";
import { HistoryTab } from "../entities/HistoryTab";
import { entityTarget } from "../entities/paths";
import { recordAt, recordVariables } from "../entities/record";
import { useRefetchOnChange } from "../entities/useRefetchOnChange";
import { TelemetryPanel } from "../telemetry/TelemetryPanel";
import { ActionButton, RefusalNote, useRefusal } from "../session/ActionButton";
import { isPast } from "../time/moment";
import { useMoment } from "../time/useMoment";
import { PageName } from "../ui/PageName";
import { Failed, NowNote, PageMissing, PageWaiting } from "../ui/States";
import { Tabs, useTab } from "../ui/Tabs";
import { ConnectivityTag } from "../ui/Tags";
import { Age } from "../ui/Time";
import { toast } from "../ui/Toasts";
import { DeviceOverview } from "./DeviceOverview";
import { MessagesTab } from "./MessagesTab";
import { TokensTab } from "./TokensTab";
import "../entities/entities.css";
import "./devices.css";

const DEVICE = graphql(`
  query DevicePage($id: ID!, $at: DateTime!, $isSeen: Boolean!) {
    node(id: $id) {
      __typename
      id
      ... on Entity {
        kind
      }
      ... on Device {
        name
        type
        status
        externalId
        attributes
        createdAt
        updatedAt
        deletedAt
        connectivity
        lastSeenAt
        firmwareVersion
        asRecorded(at: $at) @include(if: $isSeen) {
          name
          type
          status
          externalId
          attributes
          recordedAt
          actor
          deletedAt
        }
      }
    }
  }
`);

const RESTORE = graphql(`
  mutation RestoreDevice($id: ID!) {
    restoreEntity(id: $id) {
      entity {
        id
      }
      errors {
        code
        message
        path
      }
    }
  }
`);

const TABS = [
  { id: "overview", label: "Overview" },
  { id: "telemetry", label: "Telemetry" },
  { id: "links", label: "Linked assets" },
  { id: "configuration", label: "Configuration" },
  { id: "messages", label: "Messages" },
  { id: "tokens", label: "Tokens" },
  { id: "history", label: "History" },
] as const;

const SEEN_MS = 15_000;

/** A device, with all that belongs to it in tabs. One request, and those of the tab. */
export function DevicePage() {
  const { id } = useParams({ from: "/devices/$id" });
  const { moment } = useMoment();
  const canIssue = useRefusal("issueDeviceToken") === null;
  const tab = useTab(TABS);
  const isNow = !isPast(moment);
  const answer = useApi(DEVICE, { id, ...recordVariables(moment) }, { keep: (before) => before.id === id, ...(isNow ? { refetchMs: SEEN_MS } : {}) });
  const { refetch } = answer;
  useRefetchOnChange(id, refetch);
  const node = answer.data?.node;
  if (answer.data === undefined) {
    return <PageWaiting of={answer} what="device" />;
  }
  if (node && node.__typename !== "Device" && "kind" in node) return <Navigate {...entityTarget(node)} replace />;
  if (node?.__typename !== "Device") return <PageMissing what="device" faults={answer.faults} />;
  const device = node;
  const record = recordAt(moment.mode, answer, device.asRecorded);
  const named = { id, name: record?.name ?? device.name };
  return (
    <div className="stack">
      <header className="page-head">
        <PageName name={named.name} />
        {(record?.type ?? device.type) && <span className="tag">{record?.type ?? device.type}</span>}
        <ConnectivityTag connectivity={device.connectivity} />
        <span className="muted">
          seen <Age at={device.lastSeenAt} /> {device.lastSeenAt ? "ago" : ""}
        </span>
        <NowNote past={!isNow} />
      </header>
      {device.deletedAt && <Retired id={id} past={!isNow} />}
      <Failed faults={answer.faults} />
      <Tabs label="Parts of the device" tabs={canIssue || tab === "tokens" ? TABS : TABS.filter(({ id: name }) => name !== "tokens")} current={tab} />
      {tab === "overview" && <DeviceOverview device={device} record={record} />}
      {tab === "telemetry" && <TelemetryPanel entityId={id} />}
      {tab === "links" && <LinksTab device={named} />}
      {tab === "configuration" && <AttributesForm entityId={id} />}
      {tab === "messages" && <MessagesTab deviceId={id} />}
      {tab === "tokens" && (canIssue ? <TokensTab deviceId={id} name={device.name} /> : <RefusalNote mutation="issueDeviceToken" what="The tokens of a device" />)}
      {tab === "history" && <HistoryTab entityId={id} />}
    </div>
  );
}

function Retired({ id, past }: { id: string; past: boolean }) {
  const restore = useChange(RESTORE, (data) => data.restoreEntity);
  return (
    <div className="bar panel">
      <span className="tag bad">retired</span>
      <span>Its readings are refused and its links have ended. Its history is kept.</span>
      <ActionButton
        mutation="restoreEntity"
        past={past}
        disabled={restore.isRunning}
        onClick={() => void restore.run({ id }).then(() => toast("The device was restored; link it again."), () => {})}
      >
        Restore
      </ActionButton>
      <RefusalNote mutation="restoreEntity" what="Restoring it" />
      <Failed faults={restore.faults} />
    </div>
  );
}
