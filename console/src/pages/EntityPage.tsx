import { Navigate, useParams } from "@tanstack/react-router";
import { graphql } from "../api/gen";
import { useApi } from "../api/hooks";
import { isPast } from "../time/moment";
import { useMoment } from "../time/useMoment";
import { PageName } from "../ui/PageName";
import { Failed, NowNote, PageMissing, PageWaiting } from "../ui/States";
import { Tabs, useTab } from "../ui/Tabs";
import { AttributesForm } from "../entities/AttributesForm";
import { EntityIdentity } from "../entities/EntityIdentity";
import { HistoryTab } from "../entities/HistoryTab";
import { JsonValue } from "../entities/JsonValue";
import { recordAt, recordVariables } from "../entities/record";
import { RelationsPanel } from "../edges/RelationsPanel";
import { RelationsTab } from "../edges/RelationsTab";
import { entityTarget } from "../entities/paths";
import "../entities/entities.css";

const ENTITY = graphql(`
  query EntityPage($id: ID!, $at: DateTime!, $isSeen: Boolean!) {
    node(id: $id) {
      __typename
      id
      ... on Entity {
        kind
        name
        type
        status
        externalId
        attributes
        createdAt
        updatedAt
        deletedAt
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
      ... on Person {
        email
      }
      ... on Activity {
        category
        priority
        dueAt
        state
      }
    }
  }
`);

const TABS = [
  { id: "overview", label: "Overview" },
  { id: "relations", label: "Relations" },
  { id: "configuration", label: "Configuration" },
  { id: "history", label: "History" },
] as const;

/** A person, an activity, or what else has no page of its own. Two requests, and those of the tab. */
export function EntityPage() {
  const { id } = useParams({ from: "/entities/$id" });
  const { moment } = useMoment();
  const tab = useTab(TABS);
  const answer = useApi(ENTITY, { id, ...recordVariables(moment) }, { keep: (before) => before.id === id });
  const node = answer.data?.node;
  if (answer.data === undefined) {
    return <PageWaiting of={answer} what="entity" />;
  }
  if (!node || !("kind" in node)) {
    return <PageMissing what="entity" faults={answer.faults} />;
  }
  const target = entityTarget(node);
  if (target.to !== "/entities/$id") return <Navigate {...target} replace />;
  const past = isPast(moment);
  const record = recordAt(moment.mode, answer, node.asRecorded);
  return (
    <div className="stack">
      <header className="page-head">
        <PageName name={record?.name ?? node.name} />
        <span className="tag">{(record?.type ?? node.type) || node.kind.toLowerCase()}</span>
        <span className="tag">{record?.status ?? node.status}</span>
      </header>
      <Failed faults={answer.faults} />
      <Tabs label="Parts of the entity" tabs={TABS} current={tab} />
      {tab === "overview" && (
        <div className="columns">
          <section className="panel">
            <h2>Identity</h2>
            <EntityIdentity entity={node} record={record} mode={moment.mode}>
              {node.__typename === "Person" && <Fact name="E-mail" value={node.email} past={past} />}
              {node.__typename === "Activity" && (
                <>
                  <Fact name="State" value={node.state.toLowerCase().replace(/_/g, " ")} past={past} />
                  <Fact name="Category" value={node.category} past={past} />
                  <Fact name="Priority" value={node.priority} past={past} />
                  <Fact name="Due" value={node.dueAt} past={past} />
                </>
              )}
            </EntityIdentity>
          </section>
          <RelationsPanel entityId={id} />
        </div>
      )}
      {tab === "relations" && <RelationsTab entityId={id} kind={node.kind} />}
      {tab === "configuration" && <AttributesForm entityId={id} />}
      {tab === "history" && <HistoryTab entityId={id} />}
    </div>
  );
}

function Fact({ name, value, past }: { name: string; value: string | null | undefined; past: boolean }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>
        <JsonValue value={value} /> <NowNote past={past} />
      </dd>
    </>
  );
}
