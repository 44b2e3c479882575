import type { EntityFilter, EntityKind, EntityOrder } from "../api/gen/graphql";
import { valuesOf } from "./listSearch";

/** What of the address narrows and orders a list of assets or spaces; several values of one are joined by commas. */
export type PlantSearch = {
  q?: string | undefined;
  type?: string | undefined;
  status?: string | undefined;
  under?: string | undefined;
  /** Health below this number. */
  health?: string | undefined;
  /** "open": only what has open alarms. */
  alarms?: string | undefined;
  order?: string | undefined;
  /** "tree": shown as a tree. */
  as?: string | undefined;
};

export type PlantDimension = "type" | "status";

/** Return the filter that an address means; `without` leaves one dimension open, as its own facet is counted. */
export function plantFilter(kind: EntityKind, search: PlantSearch, without?: PlantDimension): EntityFilter {
  const types = without === "type" ? [] : valuesOf(search.type);
  const statuses = without === "status" ? [] : valuesOf(search.status);
  const health = healthOf(search);
  return {
    kinds: [kind],
    ...(search.q?.trim() ? { search: search.q.trim() } : {}),
    ...(types.length > 0 ? { types } : {}),
    ...(statuses.length > 0 ? { statuses } : {}),
    ...(search.under ? { underId: search.under } : {}),
    ...(kind === "ASSET" && health !== null ? { healthBelow: health } : {}),
    ...(search.alarms === "open" ? { hasOpenEvents: true } : {}),
  };
}

/** Return the number below which health has to be; null: of any health. */
export function healthOf(search: PlantSearch): number | null {
  const health = Number(search.health);
  return search.health && Number.isFinite(health) && health > 0 && health <= 100 ? health : null;
}

const ORDERS: readonly EntityOrder[] = ["NAME_ASC", "NAME_DESC", "TYPE_ASC", "TYPE_DESC", "STATUS_ASC", "STATUS_DESC", "HEALTH_ASC", "HEALTH_DESC"];

export function plantOrder(search: PlantSearch): EntityOrder {
  return ORDERS.find((order) => order === search.order) ?? "NAME_ASC";
}

/** Whether anything narrows the list. */
export function isPlantNarrowed(kind: EntityKind, search: PlantSearch): boolean {
  return Object.keys(plantFilter(kind, search)).length > 1;
}
