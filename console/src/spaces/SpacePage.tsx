import { Navigate, useParams } from "@tanstack/react-router";
import { EntityAlarms } from "../alarms/EntityAlarms";
import { graphql } from "../api/gen";
import { useApi } from "../api/hooks";
import { LinkedDevices } from "../assets/LinkedDevices";
import { LocationTab } from "../assets/LocationTab";
import { TelemetryTab } from "../assets/TelemetryTab";
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
import { WorkList } from "../work/WorkList";
import { SpaceOverview } from "./SpaceOverview";
import "../entities/entities.css";

const SPACE = graphql(`
  query SpacePage($id: ID!, $at: DateTime!, $isSeen: Boolean!, $steps: [TraverseStep!]!, $asOf: DateTime, $knownAt: DateTime) {
    node(id: $id) {
      __typename
      id
      ... on Entity {
        kind
      }
      ... on Space {
        name
        type
        status
        externalId
        attributes
        createdAt
        updatedAt
        deletedAt
        location
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

/** A space with what is in it at the moment shown. One request, and those of the tab: at most four in all. */
export function SpacePage() {
  const { id } = useParams({ from: "/spaces/$id" });
  const { moment } = useMoment();
  const tab = useTab(TABS);
  const at = isPast(moment) ? textOf(moment.at) : "1970-01-01T00:00:00Z";
  const answer = useApi(SPACE, { id, at, isSeen: moment.mode === "seen", steps: stepsUp(), ...coordinatesOf(moment) }, { keep: (before) => before.id === id });
  useRefetchOnChange(id, answer.refetch);
  if (answer.data === undefined) {
    return <PageWaiting of={answer} what="space" />;
  }
  const node = answer.data.node;
  if (node && node.__typename !== "Space" && "kind" in node) return <Navigate {...entityTarget(node)} replace />;
  if (node?.__typename !== "Space") {
    return <PageMissing what="space" faults={answer.faults} />;
  }
  const record = recordAt(moment.mode, answer, node.asRecorded);
  // Of the moment before, while another one's are on their way.
  const way = answer.isPlaceholderData ? [] : pathAbove(answer.data.traverse.edges, id);
  const name = record?.name ?? node.name;
  return (
    <div className="stack">
      <div className="stack tight">
        <Breadcrumb path={way} name={name} />
        <header className="page-head">
          <PageName name={name} />
          <span className="tag">{(record?.type ?? node.type) || "space"}</span>
          <span className="tag">{record?.status ?? node.status}</span>
          <NowNote past={moment.mode === "true"} />
          {node.deletedAt && <span className="tag bad">deleted</span>}
        </header>
      </div>
      <Failed faults={answer.faults} />
      <Tabs label="Parts of the space" tabs={TABS} current={tab} />
      {tab === "overview" && <SpaceOverview space={node} record={record} />}
      {tab === "devices" && <LinkedDevices entityId={id} kind="SPACE" />}
      {tab === "telemetry" && <TelemetryTab entityId={id} />}
      {tab === "location" && <LocationTab entity={{ id, name, location: moment.mode === "seen" ? record?.location : node.location }} way={way} />}
      {tab === "alarms" && <EntityAlarms entityId={id} />}
      {tab === "work" && <WorkList entityId={id} />}
      {tab === "relations" && <RelationsTab entityId={id} kind="SPACE" />}
      {tab === "configuration" && <AttributesForm entityId={id} />}
      {tab === "history" && <HistoryTab entityId={id} />}
    </div>
  );
}
