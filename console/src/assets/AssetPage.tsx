import { Navigate, useParams } from "@tanstack/react-router";
import { graphql } from "../api/gen";
import { useApi } from "../api/hooks";
import { EntityAlarms } from "../alarms/EntityAlarms";
import { AttributesForm } from "../entities/AttributesForm";
import { pathAbove, stepsUp } from "../entities/above";
import { Breadcrumb } from "../entities/Breadcrumb";
import { HistoryTab } from "../entities/HistoryTab";
import { entityTarget } from "../entities/paths";
import { RelationsTab } from "../edges/RelationsTab";
import { recordAt } from "../entities/record";
import { useRefetchOnChange } from "../entities/useRefetchOnChange";
import { textOf } from "../time/instant";
import { coordinatesOf, isPast } from "../time/moment";
import { useMoment } from "../time/useMoment";
import { PageName } from "../ui/PageName";
import { Failed, NowNote, PageMissing, PageWaiting } from "../ui/States";
import { Tabs, useTab } from "../ui/Tabs";
import { HealthMeter } from "../ui/Tags";
import { WorkList } from "../work/WorkList";
import { AssetOverview } from "./AssetOverview";
import { LinkedDevices } from "./LinkedDevices";
import { LocationTab } from "./LocationTab";
import { TelemetryTab } from "./TelemetryTab";
import "../entities/entities.css";

const ASSET = graphql(`
  query AssetPage($id: ID!, $at: DateTime!, $isSeen: Boolean!, $steps: [TraverseStep!]!, $asOf: DateTime, $knownAt: DateTime) {
    node(id: $id) {
      __typename
      id
      ... on Entity {
        kind
      }
      ... on Asset {
        name
        type
        status
        externalId
        attributes
        createdAt
        updatedAt
        deletedAt
        location
        healthScore
        profile {
          name
        }
        asRecorded(at: $at) @include(if: $isSeen) {
          name
          type
          status
          externalId
          attributes
          location
          recordedAt
          actor
          deletedAt
        }
      }
    }
    traverse(input: { startIds: [$id], steps: $steps, asOf: $asOf, knownAt: $knownAt }) {
      edges {
        relationship
        source {
          id
          kind
          name
        }
        target {
          id
          kind
          name
        }
      }
    }
  }
`);

const TABS = [
  { id: "overview", label: "Overview" },
  { id: "devices", label: "IoT devices" },
  { id: "telemetry", label: "Telemetry" },
  { id: "location", label: "Location" },
  { id: "alarms", label: "Alarms" },
  { id: "work", label: "Work" },
  { id: "relations", label: "Relations" },
  { id: "configuration", label: "Configuration" },
  { id: "history", label: "History" },
] as const;

/** An asset with what it is, measures, and is in. One request, and those of the tab: at most four in all. */
export function AssetPage() {
  const { id } = useParams({ from: "/assets/$id" });
  const { moment } = useMoment();
  const tab = useTab(TABS);
  const at = isPast(moment) ? textOf(moment.at) : "1970-01-01T00:00:00Z";
  const answer = useApi(
    ASSET,
    { id, at, isSeen: moment.mode === "seen", steps: stepsUp(), ...coordinatesOf(moment) },
    { keep: (before) => before.id === id },
  );
  useRefetchOnChange(id, answer.refetch);
  if (answer.data === undefined) {
    return <PageWaiting of={answer} what="asset" />;
  }
  const node = answer.data.node;
  if (node && node.__typename !== "Asset" && "kind" in node) return <Navigate {...entityTarget(node)} replace />;
  if (node?.__typename !== "Asset") {
    return <PageMissing what="asset" faults={answer.faults} />;
  }
  const record = recordAt(moment.mode, answer, node.asRecorded);
  // Of the moment before, while another one's are on their way.
  const edges = answer.isPlaceholderData ? [] : answer.data.traverse.edges;
  const name = record?.name ?? node.name;
  return (
    <div className="stack">
      <div className="stack tight">
        <Breadcrumb path={pathAbove(edges, id)} name={name} />
        <header className="page-head">
          <PageName name={name} />
          <span className="tag">{(record?.type ?? node.type) || "asset"}</span>
          <span className="tag">{record?.status ?? node.status}</span>
          {node.deletedAt && <span className="tag bad">deleted</span>}
          {node.healthScore !== null && node.healthScore !== undefined && (
            <span>
              <HealthMeter score={node.healthScore} /> <NowNote past={isPast(moment)} />
            </span>
          )}
        </header>
      </div>
      <Failed faults={answer.faults} />
      <Tabs label="Parts of the asset" tabs={TABS} current={tab} />
      {tab === "overview" && <AssetOverview asset={node} record={record} edges={edges} />}
      {tab === "devices" && <LinkedDevices entityId={id} kind="ASSET" />}
      {tab === "telemetry" && <TelemetryTab entityId={id} />}
      {tab === "location" && <LocationTab entity={{ id, name, location: moment.mode === "seen" ? record?.location : node.location }} way={pathAbove(edges, id)} />}
      {tab === "alarms" && <EntityAlarms entityId={id} />}
      {tab === "work" && <WorkList entityId={id} />}
      {tab === "relations" && <RelationsTab entityId={id} kind="ASSET" />}
      {tab === "configuration" && <AttributesForm entityId={id} />}
      {tab === "history" && <HistoryTab entityId={id} />}
    </div>
  );
}
