import type { TraverseStep } from "../api/gen/graphql";

/** An end of an edge: an entity by its id, kind and name. */
export type Named = { id: string; kind: string; name: string };
/** An edge between what is below and what is above, as a traversal of the graph returns it. */
export type PlaceEdge = { relationship: string; source: Named; target: Named };

// What something is in is the source of these, and the target of all the others.
const UP_FROM_TARGET = new Set(["HAS_PART", "CONTAINS"]);
// Of several above one, the whole names it better than its place.
const ORDER = ["HAS_PART", "LOCATED_IN", "CONTAINS"];

const STEPS_UP = [
  { relationships: ["MONITORED_BY", "CONTROLLED_BY"], direction: "IN", includeStart: true },
  { relationships: ["HAS_PART"], direction: "IN", depth: 32, includeStart: true },
  { relationships: ["LOCATED_IN"], direction: "OUT", depth: 32, includeStart: true },
  { relationships: ["HAS_PART"], direction: "IN", depth: 32, includeStart: true },
  { relationships: ["LOCATED_IN"], direction: "OUT", depth: 32, includeStart: true },
  { relationships: ["CONTAINS"], direction: "IN", depth: 32, includeStart: true },
] as const;

/** Return the steps of a traversal from entities up to all they are in; their places are found through devices, too. */
export function stepsUp(): TraverseStep[] {
  return STEPS_UP.map((step) => ({ ...step, relationships: [...step.relationships] }));
}

/** Return the lower and the upper end of an edge. */
function endsOf<E extends { id: string }>(edge: { relationship: string; source: E; target: E }): { below: E; above: E } {
  const isDown = UP_FROM_TARGET.has(edge.relationship) || edge.relationship === "MONITORED_BY" || edge.relationship === "CONTROLLED_BY";
  return isDown ? { below: edge.target, above: edge.source } : { below: edge.source, above: edge.target };
}

/** Return what an entity is directly in: wholes first, then places, by name. */
export function parentsOf(edges: readonly PlaceEdge[], id: string): { relationship: string; above: Named }[] {
  return edges
    .filter((edge) => ORDER.includes(edge.relationship))
    .map((edge) => ({ relationship: edge.relationship, ...endsOf(edge) }))
    .filter(({ below }) => below.id === id)
    .sort((a, b) => ORDER.indexOf(a.relationship) - ORDER.indexOf(b.relationship) || compare(a.above.name, b.above.name) || compare(a.above.id, b.above.id))
    .map(({ relationship, above }) => ({ relationship, above }));
}

/** Return one way from an entity to the top, the outermost first and without itself; a circle ends it. */
export function pathAbove(edges: readonly PlaceEdge[], id: string): Named[] {
  const path: Named[] = [];
  const seen = new Set([id]);
  let current = id;
  for (;;) {
    const next = parentsOf(edges, current).find(({ above }) => !seen.has(above.id))?.above;
    if (next === undefined) return path.reverse();
    seen.add(next.id);
    path.push(next);
    current = next.id;
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
