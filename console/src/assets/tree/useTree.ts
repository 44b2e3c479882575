import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { graphql } from "../../api/gen";
import type { TreeBranchesQuery } from "../../api/gen/graphql";
import { usePages } from "../../api/hooks";
import { request, RequestError } from "../../api/request";
import { textOf } from "../../time/instant";
import { coordinatesOf } from "../../time/moment";
import { useMoment } from "../../time/useMoment";
import { type HubKind } from "../hubFilter";
import { nullable } from "../useHubList";
import { type Branch, type Cursors, extended, SEPARATOR, type TreeNode } from "./branches";

const SPACE_ROOTS = graphql(`
  query TreeSpaceRoots($filter: EntityFilter, $asOf: DateTime, $knownAt: DateTime, $after: String) {
    spaces(filter: $filter, orderBy: CREATED_ASC, first: 200, after: $after) {
      totalCount
      nodes {
        id
        kind
        name
        type
        parents(asOf: $asOf, knownAt: $knownAt) {
          id
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

const ASSET_ROOTS = graphql(`
  query TreeAssetRoots($filter: EntityFilter, $asOf: DateTime, $knownAt: DateTime, $after: String) {
    assets(filter: $filter, orderBy: CREATED_ASC, first: 200, after: $after) {
      totalCount
      nodes {
        id
        kind
        name
        type
        parents(asOf: $asOf, knownAt: $knownAt) {
          id
        }
        places: related(relationships: ["LOCATED_IN"], asOf: $asOf, knownAt: $knownAt, first: 1) {
          nodes {
            id
          }
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

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

export type Tree = {
  roots: TreeNode[];
  branches: ReadonlyMap<string, Branch>;
  expanded: ReadonlySet<string>;
  toggle: (path: string, isExpanded: boolean) => void;
  loadMore: (id: string) => void;
  isLoading: boolean;
  error: RequestError | null;
  /** Of what was not looked through for roots yet; 0: all was. */
  unseen: number;
  seeMore: () => void;
};

/**
 * The tree of spaces, of what is located in them, of its parts and devices, at the moment shown.
 *
 * Two requests for the roots, then one for each node that is expanded; when the moment changes one for all that are.
 */
export function useTree(kind: HubKind): Tree {
  const { moment } = useMoment();
  const coordinates = nullable(coordinatesOf(moment));
  const key = JSON.stringify(coordinates);
  const [expanded, setExpanded] = useState<ReadonlySet<string>>(() => remembered.get(kind) ?? new Set());
  const [branches, setBranches] = useState<ReadonlyMap<string, Branch>>(new Map());
  const current = useRef({ key, coordinates, branches });
  current.current = { key, coordinates, branches };

  // What was not recorded yet had no parents either: it is no root of what was believed then.
  const filter = moment.mode === "seen" ? { createdTo: textOf(moment.at + 1) } : null;
  const spaces = usePages(SPACE_ROOTS, { filter, ...coordinates, after: null }, (data) => data.spaces, { keep: true, staleMs: 30_000 });
  const assets = usePages(ASSET_ROOTS, { filter, ...coordinates, after: null }, (data) => data.assets, {
    keep: true,
    staleMs: 30_000,
    enabled: kind === "ASSET",
  });
  const roots = useMemo(
    () => [
      ...spaces.nodes.filter((node) => (node.parents ?? []).length === 0),
      ...assets.nodes.filter((node) => (node.parents ?? []).length === 0 && (node.places?.nodes ?? []).length === 0),
    ],
    [spaces.nodes, assets.nodes],
  );

  const load = useCallback(
    async (ids: readonly string[], cursors: Cursors | null) => {
      const { key: requested, coordinates: at } = current.current;
      const change = (update: (before: Map<string, Branch>) => void) => {
        if (current.current.key !== requested) return;
        setBranches((before) => {
          const next = new Map(before);
          update(next);
          return next;
        });
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
      change((next) => {
        for (const id of ids) next.set(id, { ...(next.get(id) ?? { children: [], next: {} }), isLoading: true, fault: null });
      });
      try {
        const answer = await request(BRANCHES, variables);
        change((next) => {
          for (const node of answer.data.nodes) {
            if (node) next.set(node.id, extended(cursors === null ? undefined : next.get(node.id), pageOf(node)));
          }
        });
      } catch (error) {
        const fault = error instanceof RequestError ? `${error.code}: ${error.message}` : String(error);
        change((next) => {
          for (const id of ids) next.set(id, { ...(next.get(id) ?? { children: [], next: {} }), isLoading: false, fault });
        });
      }
    },
    [kind],
  );

  useEffect(() => {
    remembered.set(kind, new Set(expanded));
  }, [kind, expanded]);
  useEffect(() => {
    // Another moment: all that is unfolded is requested again; what is there stays until the answer comes.
    const ids = [...new Set([...expanded].map((path) => path.slice(path.lastIndexOf(SEPARATOR) + 1)))];
    setBranches((before) => new Map([...before].filter(([id]) => ids.includes(id))));
    for (let index = 0; index < ids.length; index += TOGETHER) void load(ids.slice(index, index + TOGETHER), null);
    // Expanding alone does not ask for the others again.
  }, [key, load]);

  const toggle = useCallback(
    (path: string, isExpanded: boolean) => {
      setExpanded((before) => {
        const next = new Set(before);
        if (isExpanded) next.add(path);
        else next.delete(path);
        return next;
      });
      const id = path.slice(path.lastIndexOf(SEPARATOR) + 1);
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
  return {
    roots,
    branches,
    expanded,
    toggle,
    loadMore,
    isLoading: spaces.isLoading || assets.isLoading,
    error: spaces.error ?? assets.error,
    unseen: left(spaces) + (kind === "ASSET" ? left(assets) : 0),
    seeMore: () => {
      spaces.loadMore();
      assets.loadMore();
    },
  };
}

function left(pages: { totalCount: number | null; nodes: readonly unknown[]; hasMore: boolean }): number {
  return pages.hasMore ? Math.max(0, (pages.totalCount ?? 0) - pages.nodes.length) : 0;
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
