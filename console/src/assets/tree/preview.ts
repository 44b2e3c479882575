import { holds } from "../../time/holds";
import type { EdgeVersion } from "../../time/holds";
import type { Micros } from "../../time/instant";
import type { HubKind } from "../list/hubFilter";
import type { Branch, TreeNode } from "./branches";

/** A version of an edge of the tree, with its ends. */
export type TreeVersion = EdgeVersion & { edge: { relationship: string; source: TreeNode; target: TreeNode } };

/** By which edges what is below a node; of spaces alone, only by what contains what. */
export const TREE_RELATIONSHIPS: Record<HubKind, readonly string[]> = {
  ASSET: ["CONTAINS", "HAS_PART", "LOCATED_IN", "MONITORED_BY", "CONTROLLED_BY"],
  SPACE: ["CONTAINS", "HAS_PART"],
};
const ORDER = ["CONTAINS", "HAS_PART", "LOCATED_IN", "MONITORED_BY", "CONTROLLED_BY"];
const LOCATED = new Set(["ASSET", "DEVICE"]);

/**
 * Return what is below unfolded nodes at an instant, of the versions of their edges: what is shown while the thumb of
 * the time bar moves, without a request.
 *
 * What is shown already keeps its order; what was below the node at another time comes behind it, by name.
 */
export function branchesAt(
  kind: HubKind,
  ids: Iterable<string>,
  versions: readonly TreeVersion[],
  branches: ReadonlyMap<string, Branch>,
  at: { asOf: Micros; knownAt: Micros | null },
): Map<string, Branch> {
  const below = new Map<string, Map<string, { node: TreeNode; rank: number }>>();
  for (const id of ids) below.set(id, new Map());
  for (const version of versions) {
    const { relationship, source, target } = version.edge;
    if (!TREE_RELATIONSHIPS[kind].includes(relationship) || !holds(version, at.asOf, at.knownAt)) continue;
    const [parent, node] = relationship === "LOCATED_IN" ? [target, source] : [source, target];
    if (relationship === "LOCATED_IN" && !LOCATED.has(node.kind)) continue;
    const rank = ORDER.indexOf(relationship);
    const children = below.get(parent.id);
    const known = children?.get(node.id);
    if (known === undefined || rank < known.rank) children?.set(node.id, { node, rank });
  }
  return new Map(
    [...below].map(([id, children]) => {
      const shown = (branches.get(id)?.children ?? []).filter((node) => children.has(node.id));
      const ids = new Set(shown.map((node) => node.id));
      const others = [...children.values()]
        .filter(({ node }) => !ids.has(node.id))
        .sort((a, b) => a.rank - b.rank || compare(a.node.name, b.node.name) || compare(a.node.id, b.node.id));
      return [id, { children: [...shown, ...others.map(({ node }) => node)], next: {}, isLoading: false, fault: null }];
    }),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
