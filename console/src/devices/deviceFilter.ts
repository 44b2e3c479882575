import type { Connectivity, EntityFilter, EntityOrder } from "../api/gen/graphql";

/** What of the address narrows the list; several values of one are joined by commas. */
export type DeviceSearch = {
  q?: string | undefined;
  type?: string | undefined;
  status?: string | undefined;
  connectivity?: string | undefined;
  under?: string | undefined;
  linked?: string | undefined;
  order?: string | undefined;
};

export type Dimension = "type" | "status" | "connectivity";

const CONNECTIVITIES: readonly string[] = ["ONLINE", "OFFLINE", "NEVER_SEEN"];

/** Return the values of a parameter; a value's own comma is written as "\,". */
export function valuesOf(text: string | undefined): string[] {
  if (text === undefined || text === "") return [];
  return text.split(/(?<!\\),/).map((value) => value.replace(/\\,/g, ","));
}

/** Return the parameter of these values; undefined for none. */
export function textOfValues(values: readonly string[]): string | undefined {
  return values.length === 0 ? undefined : values.map((value) => value.replace(/,/g, "\\,")).join(",");
}

/** Return the filter that an address means; `without` leaves one dimension open, as its own facet is counted. */
export function filterOf(search: DeviceSearch, without?: Dimension): EntityFilter {
  const types = without === "type" ? [] : valuesOf(search.type);
  const statuses = without === "status" ? [] : valuesOf(search.status);
  const connectivity = without === "connectivity" ? undefined : search.connectivity;
  return {
    kinds: ["DEVICE"],
    ...(search.q?.trim() ? { search: search.q.trim() } : {}),
    ...(types.length > 0 ? { types } : {}),
    ...(statuses.length > 0 ? { statuses } : {}),
    ...(connectivity !== undefined && CONNECTIVITIES.includes(connectivity) ? { connectivity: connectivity as Connectivity } : {}),
    ...(search.under ? { underId: search.under } : {}),
    ...(search.linked === "yes" ? { isLinked: true } : search.linked === "no" ? { isLinked: false } : {}),
  };
}

const ORDERS: readonly string[] = ["NAME_ASC", "NAME_DESC", "TYPE_ASC", "TYPE_DESC", "STATUS_ASC", "STATUS_DESC", "LAST_SEEN_ASC", "LAST_SEEN_DESC", "CREATED_ASC", "CREATED_DESC"];

export function orderOf(search: DeviceSearch): EntityOrder {
  return search.order !== undefined && ORDERS.includes(search.order) ? (search.order as EntityOrder) : "NAME_ASC";
}

/** Whether anything narrows the list. */
export function isNarrowed(search: DeviceSearch): boolean {
  return Object.keys(filterOf(search)).length > 1;
}
