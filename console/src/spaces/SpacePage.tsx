import { Navigate, useParams } from "@tanstack/react-router";
import { graphql } from "../api/gen";
import { useApi } from "../api/hooks";
import { HubTabs } from "../assets/HubTabs";
import { pathAbove, stepsUp } from "../entities/above";
import { Breadcrumb } from "../entities/Breadcrumb";
import { entityTarget } from "../entities/paths";
import { recordAt, recordVariables } from "../entities/record";
import { useRefetchOnChange } from "../entities/useRefetchOnChange";
import { coordinatesOf } from "../time/moment";
import { useMoment } from "../time/useMoment";
import { PageName } from "../ui/PageName";
import { Failed, NowNote, PageMissing, PageWaiting } from "../ui/States";
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

/** A space with what is in it at the moment shown. One request, and those of the tab: at most four in all. */
export function SpacePage() {
  const { id } = useParams({ from: "/spaces/$id" });
  const { moment } = useMoment();
  const answer = useApi(SPACE, { id, ...recordVariables(moment), steps: stepsUp(), ...coordinatesOf(moment) }, { keep: (before) => before.id === id });
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
  const path = answer.isPlaceholderData ? [] : pathAbove(answer.data.traverse.edges, id);
  const name = record?.name ?? node.name;
  return (
    <div className="stack">
      <div className="stack tight">
        <Breadcrumb path={path} name={name} />
        <header className="page-head">
          <PageName name={name} />
          <span className="tag">{(record?.type ?? node.type) || "space"}</span>
          <span className="tag">{record?.status ?? node.status}</span>
          <NowNote past={moment.mode === "true"} />
          {node.deletedAt && <span className="tag bad">deleted</span>}
        </header>
      </div>
      <Failed faults={answer.faults} />
      <HubTabs
        kind="SPACE"
        id={id}
        name={name}
        location={moment.mode === "seen" ? record?.location : node.location}
        path={path}
        overview={<SpaceOverview space={node} record={record} />}
      />
    </div>
  );
}
