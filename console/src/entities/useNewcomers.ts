import { useEffect, useRef, useState } from "react";
import { graphql } from "../api/gen";
import type { EntityFilter, EntityKind } from "../api/gen/graphql";
import { useApi } from "../api/hooks";
import { onReopened, useLive } from "../api/live";
import { isNewcomer, newcomersOf } from "./newcomers";

const COUNT = graphql(`
  query Newcomers($filter: EntityFilter!) {
    entities(filter: $filter, first: 0) {
      totalCount
    }
  }
`);

const ANNOUNCED = graphql(`
  subscription EntitiesAnnounced($kinds: [EntityKind!]!) {
    entityChanged(kinds: $kinds) {
      id
      createdAt
    }
  }
`);

const TOGETHER_MS = 1_000;

/**
 * The number of entities of a list that were created since it was loaded; they are not put under the pointer.
 *
 * Only those that its filter lets in, as the server counts them: once something was created, at most once a second, and
 * once the socket is there again after it was lost.
 *
 * newestAt: when the newest of the kind was created that was there when the list was loaded; null: there was none;
 * undefined: it is not loaded yet, and nothing is counted.
 */
export function useNewcomers(kinds: readonly EntityKind[], filter: EntityFilter, newestAt: string | null | undefined): number {
  const load = JSON.stringify([filter, newestAt]);
  const [counted, setCounted] = useState<string | null>(null);
  const isCounted = newestAt !== undefined && counted === load;
  const answer = useApi(COUNT, { filter: newcomersOf(filter, newestAt ?? null) }, { enabled: isCounted, staleMs: 0 });
  const { refetch } = answer;
  const count = useRef(() => {});
  count.current = () => {
    if (isCounted) void refetch();
    else setCounted(load);
  };
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useLive(ANNOUNCED, newestAt === undefined ? null : { kinds: [...kinds] }, ({ entityChanged }) => {
    if (!isNewcomer(entityChanged.createdAt, newestAt ?? null)) return;
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      count.current();
    }, TOGETHER_MS);
  });
  useEffect(() => () => clearTimeout(timer.current), []);
  useEffect(() => (newestAt === undefined ? undefined : onReopened(() => count.current())), [newestAt === undefined]);
  return isCounted ? (answer.data?.entities.totalCount ?? 0) : 0;
}
