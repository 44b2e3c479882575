import { Link } from "@tanstack/react-router";
import { OpenAlarmRows } from "../alarms/OpenAlarmRows";
import { graphql } from "../api/gen";
import type { SpacePageQuery } from "../api/gen/graphql";
import { useApi } from "../api/hooks";
import { EntityIdentity } from "../entities/EntityIdentity";
import { EntityLink } from "../entities/EntityLink";
import { NeighbourRows } from "../entities/NeighbourRows";
import { LatestValues } from "../telemetry/LatestValues";
import { coordinatesOf, isPast } from "../time/moment";
import { useMoment } from "../time/useMoment";
import { Failed, Part } from "../ui/States";

const OVERVIEW = graphql(`
  query SpaceOverview($id: ID!, $below: EntityFilter!, $asOf: DateTime, $knownAt: DateTime) {
    node(id: $id) {
      id
      ... on Space {
        parents(asOf: $asOf, knownAt: $knownAt) {
          id
          kind
          name
        }
        children(asOf: $asOf, knownAt: $knownAt, first: 30) {
          totalCount
          nodes {
            id
            kind
            name
            type
          }
        }
        occupants(asOf: $asOf, knownAt: $knownAt, first: 30) {
          totalCount
          nodes {
            id
            kind
            name
            type
          }
        }
      }
    }
    assets(filter: $below, asOf: $asOf, knownAt: $knownAt, first: 0) {
      totalCount
    }
    devices(filter: $below, asOf: $asOf, knownAt: $knownAt, first: 0) {
      totalCount
    }
    spaces(filter: $below, asOf: $asOf, knownAt: $knownAt, first: 0) {
      totalCount
    }
  }
`);

type Node = Extract<NonNullable<SpacePageQuery["node"]>, { __typename: "Space" }>;

/** What a space is, what is in it, and how it is there. Three requests with its latest values and alarms. */
export function SpaceOverview({ space, record }: { space: Node; record: Node["asRecorded"] | undefined }) {
  const { moment } = useMoment();
  const past = isPast(moment);
  const answer = useApi(
    OVERVIEW,
    {
      id: space.id,
      below: { underId: space.id },
      ...coordinatesOf(moment),
    },
    { keep: true, staleMs: 10_000, ...(past ? {} : { refetchMs: 30_000 }) },
  );
  return (
    <Part of={answer} what="the overview">
      {(data) => {
        const node = data.node && "parents" in data.node ? data.node : null;
        return (
          <>
            <Failed faults={answer.faults} />
            <div className="columns">
              <div className="stack">
                <section className="panel">
                  <h2>Located under it</h2>
                  <dl className="facts">
                    <dt>Spaces</dt>
                    <dd className="number">
                      <Link to="/spaces" search={{ under: space.id }}>
                        {Math.max(0, data.spaces.totalCount - 1).toLocaleString("en")}
                      </Link>
                    </dd>
                    <dt>Assets</dt>
                    <dd className="number">
                      <Link to="/assets" search={{ under: space.id }}>
                        {data.assets.totalCount.toLocaleString("en")}
                      </Link>
                    </dd>
                    <dt>Devices</dt>
                    <dd className="number">
                      <Link to="/devices" search={{ under: space.id }}>
                        {data.devices.totalCount.toLocaleString("en")}
                      </Link>
                    </dd>
                  </dl>
                </section>
                <Members title="Spaces in it" connection={node?.children} none="It contains no spaces at the moment shown." />
                <Members title="Located in it" connection={node?.occupants} none="Nothing is located in it at the moment shown." />
              </div>
              <div className="stack">
                <section className="panel">
                  <h2>Open alarms in it</h2>
                  <OpenAlarmRows entityId={space.id} />
                </section>
                <section className="panel">
                  <h2>Latest values</h2>
                  <LatestValues entityId={space.id} />
                </section>
              </div>
              <div className="stack">
                <section className="panel">
                  <h2>Identity</h2>
                  <EntityIdentity entity={space} record={record} mode={moment.mode}>
                    <dt>In</dt>
                    <dd>
                      {(node?.parents ?? []).length === 0 && <span className="muted">nothing: it is outermost</span>}
                      {(node?.parents ?? []).map((parent) => (
                        <div key={parent.id}>
                          <EntityLink entity={parent} />
                        </div>
                      ))}
                    </dd>
                  </EntityIdentity>
                </section>
              </div>
            </div>
          </>
        );
      }}
    </Part>
  );
}

type Connection = { totalCount: number; nodes: readonly { id: string; kind: string; name: string; type?: string | null }[] };

function Members({ title, connection, none }: { title: string; connection: Connection | null | undefined; none: string }) {
  const nodes = connection?.nodes ?? [];
  return (
    <section className="panel">
      <header>
        <h2>{title}</h2>
        <span className="muted number">{(connection?.totalCount ?? 0).toLocaleString("en")}</span>
      </header>
      <NeighbourRows nodes={nodes} total={connection?.totalCount ?? 0} none={none} />
    </section>
  );
}
