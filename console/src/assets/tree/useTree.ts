import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { graphql } from "../../api/gen";
import type { TreeBranchesQuery } from "../../api/gen/graphql";
import { request, RequestError } from "../../api/request";
import { coordinatesOf } from "../../time/moment";
import { useMoment } from "../../time/useMoment";
import { type HubKind } from "../list/hubFilter";
import { type Branch, type Cursors, extended, SEPARATOR, type TreeNode } from "./branches";
import { type TreeRoots, useTreeRoots } from "./useTreeRoots";

const BRANCHES = graphql(`
  query TreeBranches(
    $ids: [ID!]!
    $asOf: DateTime
    $knownAt: DateTime
    $hasParts: Boolean!
    $hasLocated: Boolean!
    $hasDevices: Boolean!
    $afterParts: String
    $afterLocated: String
    $afterDevices: String
  ) {
    nodes(ids: $ids) {
      id
      ... on Entity {
        parts: related(relationships: ["CONTAINS", "HAS_PART"], asOf: $asOf, knownAt: $knownAt, first: 50, after: $afterParts) @include(if: $hasParts) {
          ...TreeLevel
        }
        located: related(relationships: ["LOCATED_IN"], direction: IN, kinds: [ASSET, DEVICE], asOf: $asOf, knownAt: $knownAt, first: 50, after: $afterLocated)
          @include(if: $hasLocated) {
          ...TreeLevel
        }
        devices: related(relationships: ["MONITORED_BY", "CONTROLLED_BY"], asOf: $asOf, knownAt: $knownAt, first: 50, after: $afterDevices)
          @include(if: $hasDevices) {
          ...TreeLevel
        }
      }
    }
  }
  fragment TreeLevel on EntityConnection {
    nodes {
      id
      kind
      name
      type
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
`);

// So many branches are requested together when the moment changes.
const TOGETHER = 20;
// The tree is as it was left when one comes back to it.
const remembered = new Map<HubKind, Set<string>>();

const NO_BRANCH: Branch = { children: [], next: {}, isLoading: false, fault: null };

export type Tree = TreeRoots & {
  branches: ReadonlyMap<string, Branch>;
  expanded: ReadonlySet<string>;
  /** Ids of the nodes that are unfolded, once each. */
  expandedIds: readonly string[];
  toggle: (path: string, isExpanded: boolean) => void;
  loadMore: (id: string) => void;
  /** Request again what is below nodes, and show what was until then. */
  reload: (ids: readonly string[]) => void;
};

/**
 * The tree of spaces, of what is located in them, of its parts and devices, at the moment shown.
 *
 * One request for the roots, then one for each node that is expanded; when the moment changes one for all that are.
 */
export function useTree(kind: HubKind): Tree {
  const { moment } = useMoment();
  const coordinates = coordinatesOf(moment);
  const key = JSON.stringify(coordinates);
  const [expanded, setExpanded] = useState<ReadonlySet<string>>(() => remembered.get(kind) ?? new Set());
  const [branches, setBranches] = useState<ReadonlyMap<string, Branch>>(new Map());
  // The number of the newest request of each branch: an older one's answer does not replace a newer one's.
  const newest = useRef({ number: 0, of: new Map<string, number>() });
  const current = useRef({ key, coordinates, branches });
  current.current = { key, coordinates, branches };

  const roots = useTreeRoots(kind);

  const load = useCallback(
    async (ids: readonly string[], cursors: Cursors | null) => {
      const { key: requested, coordinates: at } = current.current;
      const number = ++newest.current.number;
      for (const id of ids) newest.current.of.set(id, number);
      const change = (update: (branch: Branch | undefined, id: string) => Branch) => {
        if (current.current.key !== requested) return;
        const own = ids.filter((id) => newest.current.of.get(id) === number);
        setBranches((before) => new Map([...before, ...own.map((id) => [id, update(before.get(id), id)] as const)]));
      };
      const variables = {
        ids: [...ids],
        ...at,
        hasParts: cursors === null || cursors.parts !== undefined,
        hasLocated: kind === "ASSET" && (cursors === null || cursors.located !== undefined),
        hasDevices: kind === "ASSET" && (cursors === null || cursors.devices !== undefined),
        afterParts: cursors?.parts ?? null,
        afterLocated: cursors?.located ?? null,
        afterDevices: cursors?.devices ?? null,
      };
      change((branch = NO_BRANCH) => ({ ...branch, isLoading: true, fault: null }));
      try {
        const answer = await request(BRANCHES, variables);
        const nodes = new Map(answer.data.nodes.flatMap((node) => (node ? [[node.id, node] as const] : [])));
        change((branch = NO_BRANCH, id) => {
          const node = nodes.get(id);
          // What is not there, or not to be seen, has nothing below it.
          if (node === undefined) return NO_BRANCH;
          return extended(cursors === null ? undefined : branch, pageOf(node));
        });
      } catch (error) {
        const fault = error instanceof RequestError ? `${error.code}: ${error.message}` : String(error);
        change((branch = NO_BRANCH) => ({ ...branch, isLoading: false, fault }));
      }
    },
    [kind],
  );

  useEffect(() => {
    remembered.set(kind, new Set(expanded));
  }, [kind, expanded]);
  const expandedIds = useMemo(() => [...new Set([...expanded].map(idOf))], [expanded]);
  const reload = useCallback(
    (ids: readonly string[]) => {
      for (let index = 0; index < ids.length; index += TOGETHER) void load(ids.slice(index, index + TOGETHER), null);
    },
    [load],
  );
  useEffect(() => {
    // Another moment: all that is unfolded is requested again. What was below it at the moment before is not shown.
    setBranches(new Map());
    reload(expandedIds);
    // Expanding alone does not ask for the others again.
  }, [key, reload]);

  const toggle = useCallback(
    (path: string, isExpanded: boolean) => {
      setExpanded((before) => {
        const next = new Set(before);
        if (isExpanded) next.add(path);
        else next.delete(path);
        return next;
      });
      const id = idOf(path);
      const branch = current.current.branches.get(id);
      if (isExpanded && (branch === undefined || branch.fault !== null)) void load([id], null);
    },
    [load],
  );
  const loadMore = useCallback(
    (id: string) => {
      const branch = current.current.branches.get(id);
      if (!branch || branch.isLoading) return;
      const isWhole = Object.keys(branch.next).length === 0;
      void load([id], branch.fault !== null && isWhole ? null : branch.next);
    },
    [load],
  );
  return { ...roots, branches, expanded, expandedIds, toggle, loadMore, reload };
}

function idOf(path: string): string {
  return path.slice(path.lastIndexOf(SEPARATOR) + 1);
}

type Level = { nodes: readonly TreeNode[]; pageInfo: { hasNextPage: boolean; endCursor?: string | null } };

/** Return what one answer has of a branch. Lists that were not requested are whole. */
function pageOf(node: NonNullable<TreeBranchesQuery["nodes"][number]>): { children: TreeNode[]; next: Cursors } {
  const levels = node as unknown as Partial<Record<keyof Cursors, Level | null>>;
  const next: Cursors = {};
  const children: TreeNode[] = [];
  for (const name of ["parts", "located", "devices"] as const) {
    const level = levels[name];
    if (!level) continue;
    children.push(...level.nodes);
    if (level.pageInfo.hasNextPage && level.pageInfo.endCursor) next[name] = level.pageInfo.endCursor;
  }
  return { children, next };
}
