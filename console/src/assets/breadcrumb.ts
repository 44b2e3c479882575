export type Place = { id: string; kind: string; name: string };
export type PlaceEdge = { relationship: string; source: Place; target: Place };

// What an entity is a part of says more than where it is.
const RANK: readonly string[] = ["HAS_PART", "CONTAINS", "LOCATED_IN"];

/** Return the way from the outermost place down to what an entity is in, without the entity itself. */
export function breadcrumbOf(id: string, edges: readonly PlaceEdge[]): Place[] {
  const way: Place[] = [];
  const seen = new Set([id]);
  for (let at = id; ; ) {
    const upward = edges
      .flatMap((edge) => {
        const [child, parent] = edge.relationship === "LOCATED_IN" ? [edge.source, edge.target] : [edge.target, edge.source];
        return child.id === at && !seen.has(parent.id) ? [{ rank: RANK.indexOf(edge.relationship), parent }] : [];
      })
      .sort((a, b) => a.rank - b.rank || (a.parent.id < b.parent.id ? -1 : 1));
    const next = upward[0]?.parent;
    if (next === undefined) return way.reverse();
    way.push(next);
    seen.add(next.id);
    at = next.id;
  }
}
