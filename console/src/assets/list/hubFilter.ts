import type { EntityFilter, EntityOrder } from "../../api/gen/graphql";
import { valuesOf } from "../../ui/listParams";

export type HubKind = "ASSET" | "SPACE";

/** What of the address narrows a list of assets or spaces; several values of one are joined by commas. */
export type HubSearch = {
  q?: string | undefined;
  type?: string | undefined;
  status?: string | undefined;
  under?: string | undefined;
  /** Health is less than so much. */
  health?: string | undefined;
  alarms?: string | undefined;
  order?: string | undefined;
};

export type Dimension = "type" | "status" | "alarms";

const ORDERS: readonly string[] = ["NAME_ASC", "NAME_DESC", "TYPE_ASC", "TYPE_DESC", "STATUS_ASC", "STATUS_DESC", "CREATED_ASC", "CREATED_DESC"];
const HEALTH_ORDERS: readonly string[] = ["HEALTH_ASC", "HEALTH_DESC"];

/** Return the health below which assets are listed; null where the address names none that can be. */
export function healthBelow(search: HubSearch): number | null {
  const value = Number(search.health);
  return search.health !== undefined && Number.isFinite(value) && value > 0 && value <= 100 ? value : null;
}

/** Return the filter that an address means; `without` leaves one dimension open, as its own facet is counted. */
export function filterOf(kind: HubKind, search: HubSearch, without?: Dimension): EntityFilter {
  const types = without === "type" ? [] : valuesOf(search.type);
  const statuses = without === "status" ? [] : valuesOf(search.status);
  const below = kind === "ASSET" ? healthBelow(search) : null;
  return {
    kinds: [kind],
    ...(search.q?.trim() ? { search: search.q.trim() } : {}),
    ...(types.length > 0 ? { types } : {}),
    ...(statuses.length > 0 ? { statuses } : {}),
    ...(search.under ? { underId: search.under } : {}),
    ...(below === null ? {} : { healthBelow: below }),
    ...(without === "alarms" ? {} : search.alarms === "yes" ? { hasOpenEvents: true } : search.alarms === "no" ? { hasOpenEvents: false } : {}),
  };
}

export function orderOf(kind: HubKind, search: HubSearch): EntityOrder {
  const allowed = kind === "ASSET" ? [...ORDERS, ...HEALTH_ORDERS] : ORDERS;
  return search.order !== undefined && allowed.includes(search.order) ? (search.order as EntityOrder) : "NAME_ASC";
}

/** Whether anything narrows the list. */
export function isNarrowed(kind: HubKind, search: HubSearch): boolean {
  return Object.keys(filterOf(kind, search)).length > 1;
}
