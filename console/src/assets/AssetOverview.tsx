import { useMemo } from "react";
import { graphql } from "../api/gen";
import type { EventFilter } from "../api/gen/graphql";
import { AlarmList } from "../alarms/AlarmList";
import { useApi } from "../api/hooks";
import { EntityIdentity } from "../entities/EntityIdentity";
import { EntityLink } from "../entities/EntityLink";
import { textOf } from "../time/instant";
import { coordinatesOf, isPast } from "../time/moment";
import { useMoment } from "../time/useMoment";
import { Failed, NowNote, Part } from "../ui/States";
import { HealthMeter } from "../ui/Tags";
import type { Shown } from "./HubEntityPage";
import { HealthPanel } from "./HealthPanel";
import { lastOf, Latest } from "./Latest";
import { nullable } from "./useHubList";
import { type Activity, WorkTable } from "./WorkTable";

const OVERVIEW = graphql(`
  query AssetOverview($id: ID!, $asOf: DateTime, $knownAt: DateTime, $from: DateTime!, $to: DateTime, $isPast: Boolean!) {
    node(id: $id) {
      id
      ... on Asset {
        profile {
          id
          name
        }
        derivationFaults {
          metric
          lastAt
          message
        }
        parents(asOf: $asOf, knownAt: $knownAt) {
          id
          kind
          name
          type
        }
        children(asOf: $asOf, knownAt: $knownAt, first: 30) {
          totalCount
          nodes {
            id
            kind
            name
            type
            healthScore
          }
        }
        devices(asOf: $asOf, knownAt: $knownAt, first: 0) {
          totalCount
        }
        latest @skip(if: $isPast) {
          metric
          port
          unit
          value
          text
          timestamp
        }
        telemetry(from: $from, to: $to, bucket: "PT15M", aggregate: LAST) @include(if: $isPast) {
          metric
          port
          unit
          timestamps
          values
          texts
        }
        work: related(relationships: ["TARGETS"], direction: IN, kinds: [ACTIVITY], asOf: $asOf, knownAt: $knownAt, first: 50) {
          nodes {
            id
            kind
            name
            ... on Activity {
              state
              category
              priority
              dueAt
            }
          }
        }
      }
    }
    healthExplanation(assetId: $id, at: $asOf) {
      from
      to
      score
      parts {
        part
        subject
        cost
        weight
        detail
      }
    }
  }
`);

const DAY_US = 86_400e6;
const OVER: readonly string[] = ["DONE", "VERIFIED", "CANCELLED"];

/** What an asset is, how it is, and what is to be done about it. One request, and that of its alarms. */
export function AssetOverview({ shown }: { shown: Shown }) {
  const { moment } = useMoment();
  const { entity, record, mode } = shown;
  const past = isPast(moment);
  const answer = useApi(
    OVERVIEW,
    {
      id: entity.id,
      ...nullable(coordinatesOf(moment)),
      from: past ? textOf(moment.at - DAY_US) : "1970-01-01T00:00:00Z",
      to: past ? textOf(moment.at) : null,
      isPast: past,
    },
    { keep: true, staleMs: 10_000, ...(past ? {} : { refetchMs: 30_000 }) },
  );
  const filter = useMemo<EventFilter>(() => ({ entityIds: [entity.id] }), [entity.id]);
  return (
    <Part of={answer} what="the overview">
      {(data) => {
        const node = data.node && "parents" in data.node ? data.node : null;
        const values = past ? lastOf(node?.telemetry ?? []) : (node?.latest ?? []);
        const work: readonly Activity[] = (node?.work?.nodes ?? []).filter((each) => !("state" in each) || !OVER.includes(each.state));
        const children = node?.children?.nodes ?? [];
        return (
          <>
            <Failed faults={answer.faults} />
            <div className="columns">
              <div className="stack">
                <section className="panel">
                  <h2>Latest values</h2>
                  <Latest entityId={entity.id} values={values} bucketText="In the 15 min from" />
                  {(node?.derivationFaults ?? []).map((fault) => (
                    <p key={fault.metric} className="fault small">
                      <code>{fault.metric}</code> {fault.message}
                    </p>
                  ))}
                </section>
                <section className="panel">
                  <header>
                    <h2>Parts</h2>
                    <span className="muted number">{(node?.children?.totalCount ?? 0).toLocaleString("en")}</span>
                  </header>
                  {children.length === 0 && <p className="muted">It has no parts at the moment shown.</p>}
                  <ul className="plain stack tight">
                    {children.map((child) => (
                      <li key={child.id} className="bar">
                        <EntityLink entity={child} /> <span className="muted small">{child.type}</span>
                        <span className="spring" />
                        {child.healthScore !== null && child.healthScore !== undefined && <HealthMeter score={child.healthScore} />}
                      </li>
                    ))}
                  </ul>
                  {(node?.children?.totalCount ?? 0) > children.length && <p className="muted small">The first {children.length} are shown; the tree has them all.</p>}
                </section>
              </div>
              <div className="stack">
                <section className="panel">
                  <h2>Health</h2>
                  <HealthPanel explanation={data.healthExplanation} childrenOf={children} />
                  {node?.profile && (
                    <p className="muted small">
                      By the profile {node.profile.name} <NowNote past={past} />
                    </p>
                  )}
                </section>
                <section className="panel">
                  <h2>Work to do</h2>
                  {work.length === 0 ? <p className="muted">Nothing is to be done.</p> : <WorkTable activities={work} />}
                </section>
              </div>
              <div className="stack">
                <section className="panel">
                  <h2>Identity</h2>
                  <EntityIdentity entity={entity} record={record} mode={mode}>
                    <dt>Part of</dt>
                    <dd>{named(node?.parents ?? [])}</dd>
                    <dt>Devices</dt>
                    <dd className="number">{(node?.devices?.totalCount ?? 0).toLocaleString("en")}</dd>
                  </EntityIdentity>
                </section>
              </div>
            </div>
            <section className="stack tight">
              <h2>Open alarms</h2>
              <AlarmList filter={filter} height="auto" empty={<p className="muted">It has no open alarms at the moment shown.</p>} />
            </section>
          </>
        );
      }}
    </Part>
  );
}

export function named(entities: readonly { id: string; kind: string; name: string }[]) {
  if (entities.length === 0) return <span className="muted">nothing</span>;
  return entities.map((each, index) => (
    <span key={each.id}>
      {index > 0 && ", "}
      <EntityLink entity={each} />
    </span>
  ));
}
