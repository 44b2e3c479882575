import { useRouterState } from "@tanstack/react-router";
import { useMemo } from "react";

/** What the page shows: entities, or all below one. The time bar marks the changes of their links and their alarms. */
type TimeSubject = { entityIds: readonly string[] } | { underId: string } | null;

/** Return what an address shows; null: the whole organization. */
export function subjectOf(pathname: string, search: { entity?: string | undefined; under?: string | undefined }): TimeSubject {
  const [, room, id] = pathname.split("/");
  if (id) return room === "spaces" ? { underId: id } : { entityIds: [id] };
  if (search.entity) return { entityIds: [search.entity] };
  return search.under ? { underId: search.under } : null;
}

/** What is shown now. From the address, so that it is known before the page is there. */
export function useCurrentSubject(): TimeSubject {
  const key = useRouterState({
    select: ({ location }) => JSON.stringify(subjectOf(location.pathname, location.search as { entity?: string; under?: string })),
  });
  return useMemo(() => JSON.parse(key) as TimeSubject, [key]);
}
