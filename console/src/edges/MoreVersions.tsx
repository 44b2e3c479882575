import type { EdgeHistory } from "./useEdgeHistory";

/** Loads older versions of edges, where they do not come by themselves. */
export function MoreVersions({ history }: { history: EdgeHistory }) {
  if (history.loadMore === null) return null;
  return (
    <button type="button" className="button" onClick={history.loadMore}>
      Show older
    </button>
  );
}
