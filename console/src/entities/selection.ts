import type { EntityFilter } from "../api/gen/graphql";

/** What is selected of a list: rows by id, or all that match its filter, with exceptions. */
export type Selection = { kind: "rows"; ids: ReadonlySet<string> } | { kind: "all"; except: ReadonlySet<string> };

export const NOTHING: Selection = { kind: "rows", ids: new Set() };
export const EVERYTHING: Selection = { kind: "all", except: new Set() };

export function isSelected(selection: Selection, id: string): boolean {
  return selection.kind === "rows" ? selection.ids.has(id) : !selection.except.has(id);
}

export function toggled(selection: Selection, id: string): Selection {
  const ids = new Set(selection.kind === "rows" ? selection.ids : selection.except);
  if (!ids.delete(id)) ids.add(id);
  return selection.kind === "rows" ? { kind: "rows", ids } : { kind: "all", except: ids };
}

/** Return how many are selected of a list of so many; null while their number is not known. */
export function countOf(selection: Selection, total: number | null): number | null {
  if (selection.kind === "rows") return selection.ids.size;
  return total === null ? null : Math.max(0, total - selection.except.size);
}

/** Return the selection as a filter, given the filter of its list. */
export function selectedFilter(selection: Selection, filter: EntityFilter): EntityFilter {
  if (selection.kind === "rows") return { ids: [...selection.ids] };
  return selection.except.size === 0 ? filter : { ...filter, not: { ids: [...selection.except] } };
}

/** Say what is selected: "3 devices", "all 12,345 that match, except 2". */
export function selectionText(selection: Selection, total: number | null, what: string): string {
  if (selection.kind === "rows") return `${selection.ids.size.toLocaleString("en")} ${what}`;
  const all = `all ${total === null ? "" : `${total.toLocaleString("en")} `}that match`;
  return selection.except.size === 0 ? all : `${all}, except ${selection.except.size.toLocaleString("en")}`;
}
