import { EntityLink } from "../entities/EntityLink";
import type { VersionRecord } from "../edges/useEdgeHistory";
import { Instant } from "../ui/Time";
import { type GraphModel, type Group, groupName, GROUPED_ABOVE, isGroup } from "./model";

type Props = {
  model: GraphModel;
  /** The versions that hold at the moment shown. */
  holding: readonly VersionRecord[];
  opened: ReadonlySet<string>;
  onExpand: (id: string) => void;
  onCollapse: (id: string) => void;
  onOpen: (group: string) => void;
  onEdge: (edgeId: string) => void;
};

/** The graph in words: each expanded entity with its neighbours at the moment shown. What the picture offers is here, too. */
export function GraphList({ model, holding, opened, onExpand, onCollapse, onOpen, onEdge }: Props) {
  const entities = model.nodes.flatMap((node) => (isGroup(node) ? [] : [node]));
  const expanded = entities.filter((node) => node.isExpanded);
  const others = entities.filter((node) => !node.isExpanded);
  const isExpanded = new Set(expanded.map((node) => node.key));
  return (
    <div className="graph-list stack" role="region" aria-label="The graph as a list" tabIndex={0}>
      {expanded.map(({ key, entity }, index) => (
        <section key={key} className="panel stack tight" aria-label={`Neighbours of ${entity.name}`}>
          <header>
            <h2>
              <EntityLink entity={entity} />
            </h2>
            {index > 0 && (
              <button type="button" className="button quiet" onClick={() => onCollapse(key)} aria-label={`Collapse ${entity.name}`}>
                Collapse
              </button>
            )}
          </header>
          {(model.groups.get(key) ?? []).map((group) => (
            <Neighbours key={group.key} group={group} holding={holding} isOpened={opened.has(group.key)} isExpanded={isExpanded} onExpand={onExpand} onOpen={onOpen} onEdge={onEdge} />
          ))}
          {(model.groups.get(key) ?? []).length === 0 && <p className="muted">Nothing is related to it.</p>}
        </section>
      ))}
      {others.length > 0 && (
        <p className="muted small number" role="status">
          {others.length.toLocaleString("en")} more {others.length === 1 ? "entity" : "entities"} in the picture, whose neighbours are not shown.
        </p>
      )}
    </div>
  );
}

type NeighboursProps = Pick<Props, "holding" | "onExpand" | "onOpen" | "onEdge"> & {
  group: Group;
  isOpened: boolean;
  isExpanded: ReadonlySet<string>;
};

function Neighbours({ group, holding, isOpened, isExpanded, onExpand, onOpen, onEdge }: NeighboursProps) {
  const edges = new Map<string, VersionRecord>();
  for (const version of holding) {
    const { source, target } = version.edge;
    const other = source.id === group.of ? target : target.id === group.of ? source : null;
    if (other !== null && group.key.startsWith(`${group.of}~${version.edge.relationship}~${source.id === group.of ? "out" : "in"}~`)) edges.set(other.id, version);
  }
  const members = group.members.filter((member) => edges.has(member.id));
  const isFolded = group.members.length > GROUPED_ABOVE && !isOpened;
  const before = group.members.length - members.length;
  return (
    <div className="stack tight">
      <div className="bar">
        <h3>
          {group.label} <span className="muted number">{groupName(group, members.length)}</span>
        </h3>
        {isFolded && (
          <button type="button" className="button quiet" onClick={() => onOpen(group.key)} aria-label={`Show ${group.label} ${groupName(group, members.length)}`}>
            Show
          </button>
        )}
      </div>
      {!isFolded && (
        <ul className="plain stack tight">
          {members.map((member) => {
            const version = edges.get(member.id);
            if (version === undefined) return null;
            return (
              <li key={member.id} className="relation">
                <span>
                  <EntityLink entity={member} />{" "}
                  <span className="muted small">
                    {member.type ?? member.kind.toLowerCase()}
                    {version.edge.port === null || version.edge.port === undefined ? "" : `, port ${version.edge.port}`}, since <Instant at={version.edge.validFrom} />
                  </span>
                </span>
                <span className="bar">
                  {!isExpanded.has(member.id) && (
                    <button type="button" className="button quiet" onClick={() => onExpand(member.id)} aria-label={`Expand ${member.name}`}>
                      Expand
                    </button>
                  )}
                  <button type="button" className="button quiet" onClick={() => onEdge(version.edgeId)} aria-label={`The link to ${member.name} over time`}>
                    Link…
                  </button>
                </span>
              </li>
            );
          })}
        </ul>
      )}
      {before > 0 && <p className="muted small number">{before.toLocaleString("en")} more at other moments</p>}
    </div>
  );
}
