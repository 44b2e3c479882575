import { relationshipLabel } from "../entities/relationships";
import type { VersionRecord } from "../edges/useEdgeHistory";

type End = VersionRecord["edge"]["source"];

/** What the graph is drawn of: where it begins, and what was opened. */
export type View = {
  root: string;
  /** Entities whose neighbours are shown, the root among them. */
  expanded: readonly string[];
  /** Keys of groups whose members are shown one by one. */
  opened: ReadonlySet<string>;
  /** Entities that are shown in any case, e.g. those of a path. */
  included: readonly End[];
};

/** Neighbours of one entity that are alike: of one relationship and direction, kind and type. */
export type Group = { key: string; of: string; label: string; kind: string; type: string | null; members: End[] };

export type EntityNode = { key: string; entity: End; isExpanded: boolean };
export type GroupNode = { key: string; group: Group };
export type GraphNode = EntityNode | GroupNode;

/** What joins two nodes: every version there ever was of the edges of one relationship between them. */
export type Line = { key: string; from: string; to: string; label: string; versions: VersionRecord[] };

export type GraphModel = {
  nodes: GraphNode[];
  lines: Line[];
  /** Neighbours of each expanded entity, grouped, for the list. */
  groups: Map<string, Group[]>;
  /** How many entities are not shown because of the limit. */
  left: number;
};

/** More neighbours that are alike than this are shown as one node. */
export const GROUPED_ABOVE = 6;
/** As many entities can be looked at. */
export const NODES_MOST = 500;

/**
 * Return what to draw, from all versions at hand: also of edges that do not hold at the moment shown, so that nothing
 * moves while the moment does.
 */
export function graphOf(view: View, versions: readonly VersionRecord[], most = NODES_MOST): GraphModel {
  const byEntity = new Map<string, VersionRecord[]>();
  const ends = new Map<string, End>();
  for (const version of versions) {
    for (const end of [version.edge.source, version.edge.target]) {
      ends.set(end.id, end);
      const known = byEntity.get(end.id);
      if (known === undefined) byEntity.set(end.id, [version]);
      else if (known.at(-1) !== version) known.push(version);
    }
  }
  const shown = new Map<string, EntityNode>();
  const groupNodes: GroupNode[] = [];
  const groups = new Map<string, Group[]>();
  let left = 0;
  const show = (end: End): boolean => {
    if (shown.has(end.id)) return true;
    if (shown.size >= most) {
      left++;
      return false;
    }
    shown.set(end.id, { key: end.id, entity: end, isExpanded: false });
    return true;
  };
  const root = ends.get(view.root) ?? view.included.find((end) => end.id === view.root);
  if (root !== undefined) show(root);
  for (const end of view.included) show(end);
  for (const id of view.expanded) {
    const node = shown.get(id);
    if (node === undefined) continue;
    node.isExpanded = true;
    const alike = groupsOf(id, byEntity.get(id) ?? []);
    groups.set(id, alike);
    for (const group of alike) {
      const hidden = group.members.filter((member) => !shown.has(member.id));
      if (hidden.length <= GROUPED_ABOVE || view.opened.has(group.key)) hidden.forEach(show);
      else groupNodes.push({ key: group.key, group: { ...group, members: hidden } });
    }
  }
  return { nodes: [...shown.values(), ...groupNodes], lines: linesOf(versions, shown, groupNodes), groups, left };
}

function groupsOf(id: string, versions: readonly VersionRecord[]): Group[] {
  const groups = new Map<string, Group & { ids: Set<string> }>();
  for (const { edge } of versions) {
    const isFromSource = edge.source.id === id;
    const other = isFromSource ? edge.target : edge.source;
    const type = other.type ?? null;
    const key = [id, edge.relationship, isFromSource ? "out" : "in", other.kind, type ?? ""].join("~");
    const group = groups.get(key) ?? {
      key, of: id, label: relationshipLabel(edge.relationship, isFromSource), kind: other.kind, type, members: [], ids: new Set<string>(),
    };
    if (!group.ids.has(other.id)) {
      group.ids.add(other.id);
      group.members.push(other);
    }
    groups.set(key, group);
  }
  return [...groups.values()].map(({ ids: _, ...group }) => ({ ...group, members: group.members.sort(byName) })).sort((a, b) => compare(a.key, b.key));
}

function linesOf(versions: readonly VersionRecord[], shown: ReadonlyMap<string, EntityNode>, groupNodes: readonly GroupNode[]): Line[] {
  // Where an entity is part of groups, by the entity the group is of.
  const within = new Map<string, string>();
  for (const { key, group } of groupNodes) for (const member of group.members) within.set(`${group.of} ${member.id}`, key);
  const lines = new Map<string, Line>();
  for (const version of versions) {
    const { source, target, relationship } = version.edge;
    const from = shown.has(source.id) ? source.id : within.get(`${target.id} ${source.id}`);
    const to = shown.has(target.id) ? target.id : within.get(`${source.id} ${target.id}`);
    if (from === undefined || to === undefined) continue;
    const key = `${from} ${relationship} ${to}`;
    const line = lines.get(key) ?? { key, from, to, label: relationshipLabel(relationship, true), versions: [] };
    line.versions.push(version);
    lines.set(key, line);
  }
  return [...lines.values()];
}

export function isGroup(node: GraphNode): node is GroupNode {
  return "group" in node;
}

/** "24 VAV", "12 devices". */
export function groupName(group: Pick<Group, "kind" | "type">, count: number): string {
  const kind = group.kind === "ACTIVITY" ? "activities" : `${group.kind.toLowerCase()}s`;
  return `${count.toLocaleString("en")} ${group.type ?? kind}`;
}

function byName(a: End, b: End): number {
  return compare(a.name, b.name) || compare(a.id, b.id);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
