import type { ReactNode } from "react";
import { useNarrow } from "./useNarrow";

/** What narrows a list. On a phone the list comes first: its filters are folded, unless they narrow it. */
export function FilterFold({ isFiltered, children }: { isFiltered: boolean; children: ReactNode }) {
  const isNarrow = useNarrow();
  return (
    <details className="filter-fold" open={!isNarrow || isFiltered}>
      <summary>Filters</summary>
      {children}
    </details>
  );
}
