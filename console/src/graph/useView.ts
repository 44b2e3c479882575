import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import type { Search } from "../time/moment";

/** What the address holds of the graph: where it begins, what is expanded and opened, and where a path leads. */
type GraphView = {
  root: string | null;
  /** Without the root. */
  expanded: readonly string[];
  opened: ReadonlySet<string>;
  to: string | null;
};

type ViewChanges = {
  begin: (root: string | null) => void;
  expand: (id: string) => void;
  collapse: (id: string) => void;
  open: (group: string) => void;
  pathTo: (id: string | null) => void;
  reset: () => void;
};

// An address stays short enough for every program that it is pasted into.
const EXPANDED_MOST = 40;

export function useView(): GraphView & ViewChanges {
  const search = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  const { entity, expanded, open, to } = search;
  const view = useMemo(() => ({ root: entity ?? null, expanded: listOf(expanded), opened: new Set(listOf(open)), to: to ?? null }), [entity, expanded, open, to]);
  const set = (part: Record<string, string | undefined>) => void navigate({ to: ".", search: (before) => ({ ...before, ...part }) });
  return {
    ...view,
    begin: (root) => set({ entity: root ?? undefined, expanded: undefined, open: undefined, to: undefined }),
    expand: (id) => {
      if (id !== view.root && !view.expanded.includes(id)) set({ expanded: listText([...view.expanded, id].slice(-EXPANDED_MOST)) });
    },
    collapse: (id) => set({ expanded: listText(view.expanded.filter((other) => other !== id)), open: listText([...view.opened].filter((key) => !key.startsWith(`${id}~`))) }),
    open: (group) => set({ open: listText([...view.opened, group].slice(-EXPANDED_MOST)) }),
    pathTo: (id) => set({ to: id ?? undefined }),
    reset: () => set({ expanded: undefined, open: undefined, to: undefined }),
  };
}

export function listOf(text: string | undefined): string[] {
  return (text ?? "").split(",").filter((part) => part !== "").map(decoded);
}

/** An address may be written by hand. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function listText(parts: readonly string[]): string | undefined {
  return parts.length === 0 ? undefined : parts.map(encodeURIComponent).join(",");
}
