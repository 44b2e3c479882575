import { graphql } from "../api/gen";
import type { AssetPageQuery } from "../api/gen/graphql";
import { useApi } from "../api/hooks";
import { type PlaceEdge, parentsOf } from "../entities/above";
import { EntityIdentity } from "../entities/EntityIdentity";
import { EntityLink } from "../entities/EntityLink";
import { NeighbourRows } from "../entities/NeighbourRows";
import { OpenAlarmRows } from "../alarms/OpenAlarmRows";
import { relationshipLabel } from "../entities/relationships";
import { LatestValues } from "../telemetry/LatestValues";
import { coordinatesOf, isPast } from "../time/moment";
import { textOf } from "../time/instant";
import { useMoment } from "../time/useMoment";
import { Failed, Loading, NowNote } from "../ui/States";
import { WorkRows } from "../work/WorkList";
import { HealthPanel } from "./HealthPanel";

const OVERVIEW = graphql(`
  query AssetOverview($id: ID!, $at: DateTime, $asOf: DateTime, $knownAt: DateTime) {
    healthExplanation(assetId: $id, at: $at) {
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
    node(id: $id) {
      id
      ... on Asset {
        children(first: 20, asOf: $asOf, knownAt: $knownAt) {
          totalCount
          nodes {
            id
            kind
            name
            type
            healthScore
          }
        }
        located: related(relationships: ["LOCATED_IN"], direction: IN, kinds: [ASSET, DEVICE], first: 20, asOf: $asOf, knownAt: $knownAt) {
          totalCount
          nodes {
            id
            kind
            name
            type
          }
        }
        devices(first: 10, asOf: $asOf, knownAt: $knownAt) {
          totalCount
          nodes {
            id
            kind
            name
            type
          }
        }
        work: related(relationships: ["TARGETS"], direction: IN, kinds: [ACTIVITY], first: 50, asOf: $asOf, knownAt: $knownAt) {
          nodes {
            id
            kind
            name
            ... on Activity {
              state
              dueAt
            }
          }
        }
        derivationFaults {
          metric
          message
        }
      }
    }
  }
`);

type Node = Extract<NonNullable<AssetPageQuery["node"]>, { __typename: "Asset" }>;

/** What an asset is, where it is, how it is. Three requests with its latest values and alarms. */
export function AssetOverview({ asset, record, edges }: { asset: Node; record: Node["asRecorded"] | undefined; edges: readonly PlaceEdge[] }) {
  const { moment } = useMoment();
  const past = isPast(moment);
  const answer = useApi(
    OVERVIEW,
    { id: asset.id, at: past ? textOf(moment.at) : null, ...coordinatesOf(moment) },
    { keep: true, ...(past ? {} : { refetchMs: 30_000 }) },
  );
  const node = answer.data?.node;
  const around = node && "children" in node ? node : null;
  const parents = parentsOf(edges, asset.id);
  return (
    <div className="columns">
      <section className="panel">
        <h2>Latest values</h2>
        <LatestValues entityId={asset.id} />
      </section>
      <section className="panel">
        <h2>Open alarms</h2>
        <OpenAlarmRows entityId={asset.id} />
      </section>
      <section className="panel">
        <h2>Health</h2>
        <Failed faults={answer.error?.faults ?? answer.faults} retry={() => void answer.refetch()} />
        {answer.data ? <HealthPanel explanation={answer.data.healthExplanation} parts={around?.children?.nodes ?? []} isPast={past} /> : !answer.error && <Loading what="health" />}
        {around?.derivationFaults?.map((fault) => (
          <p key={fault.metric} className="small">
            <span className="tag bad">! not computed</span> {fault.metric}: {fault.message}
          </p>
        ))}
      </section>
      <section className="panel">
        <h2>Identity</h2>
        <EntityIdentity entity={asset} record={record} mode={moment.mode}>
          <dt>In</dt>
          <dd>
            {parents.length === 0 && <span className="muted">nothing: it has no location and is not part of anything</span>}
            {parents.map(({ relationship, above }) => (
              <div key={`${relationship} ${above.id}`}>
                <span className="muted">{relationshipLabel(relationship, relationship === "LOCATED_IN")}</span> <EntityLink entity={above} />
              </div>
            ))}
          </dd>
          <dt>Profile</dt>
          <dd>
            {asset.profile?.name ?? <span className="muted">none</span>} <NowNote past={past} />
          </dd>
        </EntityIdentity>
      </section>
      <section className="panel">
        <h2>Parts and devices</h2>
        {around?.children && (
          <>
            <h3>Parts</h3>
            <NeighbourRows nodes={around.children.nodes} total={around.children.totalCount} none="It has no parts." />
          </>
        )}
        {around?.devices && (
          <>
            <h3>Devices</h3>
            <NeighbourRows nodes={around.devices.nodes} total={around.devices.totalCount} none="No device is linked to it." />
          </>
        )}
        {around?.located && around.located.totalCount > 0 && (
          <>
            <h3>Located in it</h3>
            <NeighbourRows nodes={around.located.nodes} total={around.located.totalCount} none="" />
          </>
        )}
        {!answer.data && !answer.error && <Loading what="parts" />}
      </section>
      <section className="panel">
        <h2>Work to do</h2>
        {around?.work && <WorkRows activities={around.work.nodes} />}
      </section>
    </div>
  );
}
