import { useCallback, useMemo, useState } from "react";

/** A detail of a row, and when each of its fields was read: milliseconds of the page's clock that never goes back. */
type Dated<D> = { detail: D; readAt: Readonly<Partial<Record<keyof D, number>>> };
/** What is known of rows by their id, at one moment (`key`). */
export type Details<D> = { key: string; rows: ReadonlyMap<string, Dated<D>> };

/** Details of so many rows are kept: what was scrolled through, not all of a list of any length. */
const DETAILS_MOST = 2_000;

const NONE: ReadonlyMap<string, never> = new Map<string, never>();

/**
 * Return the details with others laid over them, those laid last at the end; beyond `most` the oldest go.
 *
 * readAt: when the others were read, of an answer when its request was sent. A field that was read later stays: an answer
 * that comes from the cache, or that a pushed change has overtaken, does not replace it.
 *
 * What is known of another moment is dropped, on both sides: no row shows one moment under the banner of another.
 */
export function withDetails<D extends object>(
  before: Details<D>,
  key: string,
  others: ReadonlyMap<string, D>,
  readAt: number,
  most: number = DETAILS_MOST,
): Details<D> {
  const rows = new Map<string, Dated<D>>(before.key === key ? before.rows : NONE);
  for (const [id, detail] of others) {
    const known = rows.get(id);
    rows.delete(id);
    rows.set(id, merged(known, detail, readAt));
  }
  for (const id of rows.keys()) {
    if (rows.size <= most) break;
    rows.delete(id);
  }
  return { key, rows };
}

function merged<D extends object>(known: Dated<D> | undefined, detail: D, readAt: number): Dated<D> {
  const next = { detail: { ...known?.detail } as D, readAt: { ...known?.readAt } as Partial<Record<keyof D, number>> };
  for (const field of Object.keys(detail) as (keyof D)[]) {
    if ((next.readAt[field] ?? Number.NEGATIVE_INFINITY) > readAt) continue;
    next.detail[field] = detail[field];
    next.readAt[field] = readAt;
  }
  return next;
}

/** Lay details over those that are known, at the moment that `key` names; see `withDetails`. */
type AddDetails<D> = (key: string, others: ReadonlyMap<string, D>, readAt: number) => void;

/** Details of rows that come and go while one scrolls, at the moment that `key` names; `add` lays others over them. */
export function useDetails<D extends object>(key: string): { details: ReadonlyMap<string, D>; add: AddDetails<D> } {
  const [state, setState] = useState<Details<D>>({ key, rows: NONE });
  const add = useCallback<AddDetails<D>>((at, others, readAt) => setState((before) => withDetails(before, at, others, readAt)), []);
  const rows = state.key === key ? state.rows : NONE;
  const details = useMemo(() => new Map([...rows].map(([id, { detail }]) => [id, detail] as const)), [rows]);
  return { details, add };
}
