import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useSyncExternalStore } from "react";
import { type Micros, now } from "./instant";
import { type Moment, type MomentSearch, momentOf, searchOf } from "./moment";

/** The moment in the address, and a way to another. What asks the server goes by this one. */
export function useMoment(): { moment: Moment; setMoment: (moment: Moment) => void } {
  const search = useSearch({ strict: false }) as MomentSearch;
  const navigate = useNavigate();
  const setMoment = useCallback(
    (moment: Moment) => {
      setPreview(null);
      void navigate({
        to: ".",
        search: (before) => ({ ...before, at: undefined, known: undefined, ...searchOf(moment) }),
        replace: true,
      });
    },
    [navigate],
  );
  const moment = momentOf({ ...(search.at ? { at: search.at } : {}), ...(search.known ? { known: search.known } : {}) });
  return { moment, setMoment };
}

/** The moment in the address as a text to compare; the component is drawn again only when it changes. */
export function useMomentKey(): string {
  return useSearch({ strict: false, select: ({ at, known }: MomentSearch) => `${at ?? ""} ${known ?? ""}` });
}

// Where the thumb of the time bar is while it moves: what is shown follows without a request.
let preview: Micros | null = null;
const listeners = new Set<() => void>();

export function setPreview(at: Micros | null): void {
  if (preview === at) return;
  preview = at;
  for (const listener of listeners) listener();
}

/** Where the thumb is while it moves; null: it does not. */
export function currentPreview(): Micros | null {
  return preview;
}

/**
 * The coordinates to draw at, the thumb's while it moves. What has edge versions at hand goes by this one.
 *
 * asOf: an instant also while live, this clock's. knownAt: null where all that is known counts.
 */
export function useShown(): { asOf: Micros; knownAt: Micros | null; isPreview: boolean } {
  const { moment } = useMoment();
  const thumb = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => preview,
  );
  const asOf = thumb ?? (moment.mode === "live" ? now() : moment.at);
  return { asOf, knownAt: moment.mode === "seen" ? asOf : null, isPreview: thumb !== null };
}
