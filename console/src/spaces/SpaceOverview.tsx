import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { AlarmList } from "../alarms/AlarmList";
import { graphql } from "../api/gen";
import type { EventFilter } from "../api/gen/graphql";
import { useApi } from "../api/hooks";
import { named } from "../assets/AssetOverview";
import type { Shown } from "../assets/HubEntityPage";
import { lastOf, Latest } from "../assets/Latest";
import { nullable } from "../assets/useHubList";
import { EntityIdentity } from "../entities/EntityIdentity";
import { EntityLink } from "../entities/EntityLink";
import { textOf } from "../time/instant";
import { coordinatesOf, isPast } from "../time/moment";
import { useMoment } from "../time/useMoment";
import { Failed, Part } from "../ui/States";

const OVERVIEW = graphql(`
  query SpaceOverview($id: ID!, $below: EntityFilter!, $asOf: DateTime, $knownAt: DateTime, $from: DateTime!, $to: DateTime, $isPast: Boolean!) {
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

const DAY_US = 86_400e6;

/** What a space is, what is in it, and how it is there. One request, and that of the alarms below it. */
export function SpaceOverview({ shown }: { shown: Shown }) {
  const { moment } = useMoment();
  const { entity, record, mode } = shown;
  const past = isPast(moment);
  const answer = useApi(
    OVERVIEW,
    {
      id: entity.id,
      below: { underId: entity.id },
      ...nullable(coordinatesOf(moment)),
      from: past ? textOf(moment.at - DAY_US) : "1970-01-01T00:00:00Z",
      to: past ? textOf(moment.at) : null,
      isPast: past,
    },
    { keep: true, staleMs: 10_000, ...(past ? {} : { refetchMs: 30_000 }) },
  );
  const filter = useMemo<EventFilter>(() => ({ underId: entity.id }), [entity.id]);
  return (
    <Part of={answer} what="the overview">
      {(data) => {
        const node = data.node && "parents" in data.node ? data.node : null;
        const values = past ? lastOf(node?.telemetry ?? []) : (node?.latest ?? []);
        return (
          <>
            <Failed faults={answer.faults} />
            <div className="columns">
              <div className="stack">
                <section className="panel">
                  <h2>In all below it</h2>
                  <dl className="facts">
                    <dt>Spaces</dt>
                    <dd className="number">
                      <Link to="/spaces" search={{ under: entity.id }}>
                        {Math.max(0, data.spaces.totalCount - 1).toLocaleString("en")}
                      </Link>
                    </dd>
                    <dt>Assets</dt>
                    <dd className="number">
                      <Link to="/assets" search={{ under: entity.id }}>
                        {data.assets.totalCount.toLocaleString("en")}
                      </Link>
                    </dd>
                    <dt>Devices</dt>
                    <dd className="number">
                      <Link to="/devices" search={{ under: entity.id }}>
                        {data.devices.totalCount.toLocaleString("en")}
                      </Link>
                    </dd>
                  </dl>
                </section>
                <Members title="Spaces in it" connection={node?.children} none="It has no spaces in it at the moment shown." />
              </div>
              <div className="stack">
                <section className="panel">
                  <h2>Latest values</h2>
                  <Latest entityId={entity.id} values={values} bucketText="In the 15 min from" />
                </section>
                <Members title="Located in it" connection={node?.occupants} none="Nothing and nobody is located in it at the moment shown." />
              </div>
              <div className="stack">
                <section className="panel">
                  <h2>Identity</h2>
                  <EntityIdentity entity={entity} record={record} mode={mode}>
                    <dt>In</dt>
                    <dd>{named(node?.parents ?? [])}</dd>
                  </EntityIdentity>
                </section>
              </div>
            </div>
            <section className="stack tight">
              <h2>Open alarms below</h2>
              <AlarmList filter={filter} height="auto" empty={<p className="muted">Nothing in it has an open alarm at the moment shown.</p>} />
            </section>
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
      {nodes.length === 0 && <p className="muted">{none}</p>}
      <ul className="plain stack tight">
        {nodes.map((node) => (
          <li key={node.id}>
            <EntityLink entity={node} /> <span className="muted small">{node.type ?? node.kind.toLowerCase()}</span>
          </li>
        ))}
      </ul>
      {connection && connection.totalCount > nodes.length && <p className="muted small">The first {nodes.length} are shown; the tree has them all.</p>}
    </section>
  );
}
