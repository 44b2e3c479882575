import { graphql } from "../api/gen";
import { useApi } from "../api/hooks";
import { EntityLink } from "../entities/EntityLink";
import { textOf } from "../time/instant";
import { coordinatesOf, isPast } from "../time/moment";
import { useMoment } from "../time/useMoment";
import { Empty, Failed, NowNote, Part } from "../ui/States";
import type { Named } from "../entities/above";
import { type Drawn, Plan } from "./Plan";
import { boxOf, type Shape, shapeOf } from "./plan";
import { StaysTable } from "./StaysTable";

const PLACES = graphql(`
  query HubPlaces($id: ID!, $wayIds: [ID!]!, $asOf: DateTime, $knownAt: DateTime, $from: DateTime, $to: DateTime) {
    way: nodes(ids: $wayIds) {
      id
      ... on Entity {
        kind
        name
        location
      }
    }
    node(id: $id) {
      id
      ... on Asset {
        inside: related(relationships: ["HAS_PART"], asOf: $asOf, knownAt: $knownAt, first: 200) {
          nodes {
            id
            kind
            name
            location
          }
        }
        stays(from: $from, to: $to, last: 100) {
          ...StayRows
        }
      }
      ... on Space {
        inside: related(relationships: ["CONTAINS"], depth: 3, asOf: $asOf, knownAt: $knownAt, first: 200) {
          nodes {
            id
            kind
            name
            location
          }
        }
        occupants(asOf: $asOf, knownAt: $knownAt, first: 200) {
          nodes {
            id
            kind
            name
            location
          }
        }
        stays(from: $from, to: $to, last: 100) {
          ...StayRows
        }
      }
    }
  }
  fragment StayRows on StayConnection {
    totalCount
    nodes {
      metric
      entered
      left
      lost
      entity {
        id
        kind
        name
      }
      space {
        id
        kind
        name
      }
    }
  }
`);

const MONTH_US = 30 * 86_400e6;
const MINUTE_US = 60e6;

/** Where an asset or a space is: its geometry in the area around it, what is in it, and its stays. One request. */
export function LocationTab({ entity, way }: { entity: { id: string; name: string; location: unknown }; way: readonly Named[] }) {
  const { moment } = useMoment();
  const end = isPast(moment) ? moment.at : Math.ceil((Date.now() * 1000) / MINUTE_US) * MINUTE_US;
  const answer = useApi(
    PLACES,
    {
      id: entity.id,
      wayIds: way.map((place) => place.id),
      ...coordinatesOf(moment),
      from: textOf(end - MONTH_US),
      to: isPast(moment) ? textOf(end) : null,
    },
    { keep: true, staleMs: 30_000 },
  );
  const own = shapeOf(entity.location);
  return (
    <Part of={answer} what="the location">
      {(data) => {
        const node = data.node && "inside" in data.node ? data.node : null;
        // The innermost area around it.
        const around = [...data.way].reverse().flatMap((place) => (place && "location" in place ? withShape(place) : []))[0] ?? null;
        const occupants: readonly Located[] = data.node && "occupants" in data.node ? (data.node.occupants?.nodes ?? []) : [];
        const within = [...(node?.inside?.nodes ?? []), ...occupants].flatMap(withShape);
        const drawn: Drawn[] = [
          ...(around ? [{ ...around, role: "context" as const }] : []),
          ...(own ? [{ id: entity.id, name: entity.name, shape: own, role: "own" as const }] : []),
          ...within.map((inner) => ({ ...inner, role: "inside" as const })),
        ];
        return (
          <div className="stack">
            <Failed faults={answer.faults} />
            <section className="panel stack tight">
              <header>
                <h2>Plan</h2> <NowNote past={moment.mode === "true"} />
              </header>
              {drawn.length === 0 ? (
                <Empty title="No location yet">
                  <p>Neither it nor what it is in has a geometry. Give it a location as GeoJSON, by an import or by the API.{node?.stays?.totalCount ? " Where it was by its own position, its stays say." : ""}</p>
                </Empty>
              ) : (
                <>
                  {own === null && (
                    <p>
                      It has no geometry of its own{around ? <>; it is in <EntityLink entity={around} />, whose area is drawn.</> : "; what is in it is drawn."}
                    </p>
                  )}
                  <div className="columns">
                    <Plan label={`Plan of ${entity.name}${around ? ` in ${around.name}` : ""}, with ${within.length} entities in it`} drawn={drawn} />
                    <Coordinates drawn={drawn} />
                  </div>
                </>
              )}
            </section>
            <section className="panel stack tight">
              <header>
                <h2>Stays</h2>
                <span className="muted small">in the 30 days before the moment shown</span> {moment.mode === "seen" && <NowNote past />}
              </header>
              <StaysTable stays={node?.stays?.nodes ?? []} total={node?.stays?.totalCount ?? 0} entityId={entity.id} at={isPast(moment) ? moment.at : null} />
            </section>
          </div>
        );
      }}
    </Part>
  );
}

type Located = { id: string; kind: string; name: string; location?: unknown };

function withShape(entity: Located): { id: string; kind: string; name: string; shape: Shape }[] {
  const shape = shapeOf(entity.location);
  return shape === null ? [] : [{ id: entity.id, kind: entity.kind, name: entity.name, shape }];
}

const ROLES = { own: "itself", context: "around it", inside: "in it" };

function Coordinates({ drawn }: { drawn: readonly (Drawn & { kind?: string })[] }) {
  const degrees = (value: number) => value.toFixed(6);
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="Coordinates">
      <table>
        <thead>
          <tr>
            <th scope="col">What</th>
            <th scope="col">Shape</th>
            <th scope="col" className="number">
              Longitude
            </th>
            <th scope="col" className="number">
              Latitude
            </th>
          </tr>
        </thead>
        <tbody>
          {drawn.map((item) => {
            const box = boxOf([item.shape]);
            return (
              <tr key={`${item.role} ${item.id}`}>
                <td>
                  {item.kind ? <EntityLink entity={{ id: item.id, kind: item.kind, name: item.name }} /> : item.name} <span className="muted small">{ROLES[item.role]}</span>
                </td>
                <td>{item.shape.areas.length > 0 ? "area" : item.shape.lines.length > 0 ? "line" : "point"}</td>
                <td className="number nowrap">{box && (box.west === box.east ? degrees(box.west) : `${degrees(box.west)} to ${degrees(box.east)}`)}</td>
                <td className="number nowrap">{box && (box.south === box.north ? degrees(box.south) : `${degrees(box.south)} to ${degrees(box.north)}`)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
