import { Navigate, useParams } from "@tanstack/react-router";
import { graphql } from "../api/gen";
import { useApi } from "../api/hooks";
import { pathAbove, stepsUp } from "../entities/above";
import { Breadcrumb } from "../entities/Breadcrumb";
import { entityTarget } from "../entities/paths";
import { recordAt, recordVariables } from "../entities/record";
import { useRefetchOnChange } from "../entities/useRefetchOnChange";
import { coordinatesOf, isPast } from "../time/moment";
import { useMoment } from "../time/useMoment";
import { PageName } from "../ui/PageName";
import { Failed, NowNote, PageMissing, PageWaiting } from "../ui/States";
import { HealthMeter } from "../ui/Tags";
import { AssetOverview } from "./AssetOverview";
import { HubTabs } from "./HubTabs";
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

/** An asset with what it is, measures, and is in. One request, and those of the tab: at most four in all. */
export function AssetPage() {
  const { id } = useParams({ from: "/assets/$id" });
  const { moment } = useMoment();
  const answer = useApi(
    ASSET,
    { id, ...recordVariables(moment), steps: stepsUp(), ...coordinatesOf(moment) },
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
  const path = pathAbove(edges, id);
  const name = record?.name ?? node.name;
  return (
    <div className="stack">
      <div className="stack tight">
        <Breadcrumb path={path} name={name} />
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
      <HubTabs
        kind="ASSET"
        id={id}
        name={name}
        location={moment.mode === "seen" ? record?.location : node.location}
        path={path}
        overview={<AssetOverview asset={node} record={record} edges={edges} />}
      />
    </div>
  );
}
