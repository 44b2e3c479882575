import type { EntityFilter } from "../api/gen/graphql";
import { microsOf, textOf } from "../time/instant";

/** Whether an entity was created after the newest that was there when a list was loaded; both are the server's clock. */
export function isNewcomer(createdAt: string, newestAt: string | null): boolean {
  return newestAt === null || microsOf(createdAt) > microsOf(newestAt);
}

/** Return the filter of a list, of what was created after the newest that was there when the list was loaded. */
export function newcomersOf(filter: EntityFilter, newestAt: string | null): EntityFilter {
  return newestAt === null ? filter : { ...filter, createdFrom: textOf(microsOf(newestAt) + 1) };
}
