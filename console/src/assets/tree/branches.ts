/** An entity as a node of the tree. */
export type TreeNode = { id: string; kind: string; name: string; type?: string | null };

/** Where each of the three lists below a node goes on; absent: it is whole. */
export type Cursors = { parts?: string; located?: string; devices?: string };

/** What is below a node, as far as it is loaded. */
export type Branch = { children: readonly TreeNode[]; next: Cursors; isLoading: boolean; fault: string | null };

/** What there is to draw: nodes, and below an expanded one what it waits for. A path names a node by its way down. */
export type TreeRow =
  | { what: "node"; path: string; node: TreeNode; level: number; size: number; position: number; isExpanded: boolean; canExpand: boolean }
  | { what: "more" | "loading" | "failed" | "empty"; path: string; parent: string; node: TreeNode; level: number; text: string };

export const SEPARATOR = "/";

/** Return the rows of the tree in the order in which they are drawn. */
export function rowsOf(
  roots: readonly TreeNode[],
  branches: ReadonlyMap<string, Branch>,
  expanded: ReadonlySet<string>,
  isEmpty: (id: string) => boolean = () => false,
): TreeRow[] {
  const rows: TreeRow[] = [];
  const add = (nodes: readonly TreeNode[], above: string, level: number, ids: ReadonlySet<string>) => {
    nodes.forEach((node, index) => {
      const path = above === "" ? node.id : `${above}${SEPARATOR}${node.id}`;
      // What is below itself (a part located in its whole) is shown once more, and goes no further.
      const canExpand = node.kind !== "DEVICE" && !ids.has(node.id) && !isEmpty(node.id);
      const isExpanded = canExpand && expanded.has(path);
      rows.push({ what: "node", path, node, level, size: nodes.length, position: index + 1, isExpanded, canExpand });
      if (!isExpanded) return;
      const branch = branches.get(node.id);
      const note = (what: "more" | "loading" | "failed" | "empty", text: string) =>
        rows.push({ what, path: `${path}${SEPARATOR}:${what}`, parent: path, node, level: level + 1, text });
      if (branch !== undefined) add(branch.children, path, level + 1, new Set([...ids, node.id]));
      if (branch?.fault) note("failed", branch.fault);
      else if (branch === undefined || branch.isLoading) note("loading", "Loading…");
      else if (Object.keys(branch.next).length > 0) note("more", "More…");
      else if (branch.children.length === 0) note("empty", "Nothing is below it at the moment shown");
    });
  };
  add(roots, "", 1, new Set());
  return rows;
}

/** Return the path of the node above; null at a root. */
export function above(path: string): string | null {
  const at = path.lastIndexOf(SEPARATOR);
  return at < 0 ? null : path.slice(0, at);
}

/** Put a further page behind a branch; what is there already is not repeated. */
export function extended(branch: Branch | undefined, page: { children: readonly TreeNode[]; next: Cursors }): Branch {
  const before = branch?.children ?? [];
  const ids = new Set(before.map((node) => node.id));
  const added = page.children.filter((node) => !ids.has(node.id) && ids.add(node.id));
  return { children: [...before, ...added], next: page.next, isLoading: false, fault: null };
}
