import { useEffect } from "react";
import { graphql } from "../api/gen";
import { onReopened, useLive } from "../api/live";
import { isPast } from "../time/moment";
import { useMoment } from "../time/useMoment";

const CHANGED = graphql(`
  subscription OneEntityChanged($ids: [ID!]!) {
    entityChanged(ids: $ids) {
      id
      updatedAt
    }
  }
`);

/** Ask again when an entity's own fields change, and when the socket was lost meanwhile; one subscription. */
export function useRefetchOnChange(id: string, refetch: () => unknown): void {
  const { moment } = useMoment();
  const isLive = !isPast(moment);
  useLive(CHANGED, isLive ? { ids: [id] } : null, () => void refetch());
  useEffect(() => (isLive ? onReopened(() => void refetch()) : undefined), [isLive, refetch]);
}
