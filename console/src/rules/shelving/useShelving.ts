import { useMemo } from "react";
import { graphql } from "../../api/gen";
import { useApi, useChange } from "../../api/hooks";
import { microsOf, now } from "../../time/instant";
import { isPast } from "../../time/moment";
import { useMoment } from "../../time/useMoment";
import { placedAt } from "./windows";

const SHELVING = graphql(`
  query Shelving($first: Int!) {
    shelves(first: $first) {
      totalCount
      nodes {
        id
        from
        to
        note
        actor
        createdAt
        rule {
          id
          name
        }
        entity {
          id
          kind
          name
        }
      }
    }
    maintenanceWindows(first: $first) {
      totalCount
      nodes {
        id
        from
        to
        note
        actor
        createdAt
        under {
          id
          kind
          name
        }
      }
    }
  }
`);

const UNSHELVE = graphql(`
  mutation EndShelf($id: ID!) {
    unshelveEvents(id: $id) {
      shelf {
        id
      }
      errors {
        code
        message
        path
      }
    }
  }
`);

const END_WINDOW = graphql(`
  mutation EndMaintenanceWindow($id: ID!) {
    endMaintenanceWindow(id: $id) {
      maintenanceWindow {
        id
      }
      errors {
        code
        message
        path
      }
    }
  }
`);

type Named = { id: string; name: string };
/** A shelf, or a maintenance window, which is one of every rule. */
export type Suppression = {
  what: "shelf" | "window";
  id: string;
  from: string;
  to: string;
  note: string | null;
  actor: string;
  createdAt: string;
  rule: Named | null;
  /** Where it applies: a shelf at this entity alone, a window also below it. Null: everywhere. */
  entity: (Named & { kind: string }) | null;
};

const FIRST = 200;
// Others shelve, too, and what applies ends.
const AGAIN_MS = 30_000;

/** Shelves and maintenance windows, the 200 that end last of either, by when they apply. One request. */
export function useShelving() {
  const { moment } = useMoment();
  const past = isPast(moment);
  const answer = useApi(SHELVING, { first: FIRST }, { keep: () => true, ...(past ? {} : { refetchMs: AGAIN_MS }) });
  const { data, dataUpdatedAt } = answer;
  const placed = useMemo(() => {
    const all: Suppression[] = [
      ...(data?.shelves?.nodes ?? []).map((shelf) => ({ ...shelf, what: "shelf" as const, note: shelf.note ?? null, rule: shelf.rule ?? null, entity: shelf.entity ?? null })),
      ...(data?.maintenanceWindows?.nodes ?? []).map((window) => ({ ...window, what: "window" as const, note: window.note ?? null, rule: null, entity: window.under ?? null })),
    ];
    const known = moment.mode === "seen" ? all.filter((item) => microsOf(item.createdAt) <= moment.at) : all;
    return placedAt(known, past ? moment.at : now());
    // The moment as a text: its object is another at every drawing. What applies changes with the answers.
  }, [data, dataUpdatedAt, moment.mode, past ? moment.at : null]);
  const left = Math.max((data?.shelves?.totalCount ?? 0) - FIRST, 0) + Math.max((data?.maintenanceWindows?.totalCount ?? 0) - FIRST, 0);
  return { answer, placed, left };
}

/** End a shelf or a maintenance window now. */
export function useEnd() {
  const unshelve = useChange(UNSHELVE, (data) => data.unshelveEvents);
  const end = useChange(END_WINDOW, (data) => data.endMaintenanceWindow);
  return {
    run: (item: Pick<Suppression, "what" | "id">): Promise<unknown> => (item.what === "shelf" ? unshelve.run({ id: item.id }) : end.run({ id: item.id })),
    isRunning: unshelve.isRunning || end.isRunning,
    faults: [...unshelve.faults, ...end.faults],
  };
}
