import { useEffect, useRef } from "react";
import { graphql } from "../api/gen";
import { onReopened, useLive } from "../api/live";
import { isPast } from "../time/moment";
import { useMoment } from "../time/useMoment";

const CHANGED = graphql(`
  subscription EdgesChanged($entityIds: [ID!]!) {
    edgeUpdates(entityIds: $entityIds) {
      what
    }
  }
`);

// Many edges may change at once: one request is enough.
const DELAY_MS = 500;

/** Ask again when an edge of these entities changes, and when the socket was lost meanwhile; one subscription. */
export function useRefetchOnEdges(entityIds: readonly string[], refetch: () => void): void {
  const { moment } = useMoment();
  const isLive = !isPast(moment) && entityIds.length > 0;
  const latest = useRef(refetch);
  latest.current = refetch;
  const waiting = useRef<ReturnType<typeof setTimeout>>(undefined);
  useLive(CHANGED, isLive ? { entityIds: [...entityIds] } : null, () => {
    clearTimeout(waiting.current);
    waiting.current = setTimeout(() => latest.current(), DELAY_MS);
  });
  useEffect(() => () => clearTimeout(waiting.current), []);
  useEffect(() => (isLive ? onReopened(() => latest.current()) : undefined), [isLive]);
}
