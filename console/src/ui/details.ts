import { useCallback, useState } from "react";

/** What is known of rows by their id, at one moment (`key`). */
export type Details<D> = { key: string; rows: ReadonlyMap<string, D> };

/** Details of so many rows are kept: what was scrolled through, not all of a list of any length. */
export const DETAILS_MOST = 2_000;

const NONE: ReadonlyMap<string, never> = new Map<string, never>();

/**
 * Return the details with newer ones laid over them, those renewed last at the end; beyond `most` the oldest go.
 *
 * What is known of another moment is dropped, on both sides: no row shows one moment under the banner of another.
 */
export function withDetails<D extends object>(
  before: Details<D>,
  key: string,
  newer: ReadonlyMap<string, D>,
  most: number = DETAILS_MOST,
): Details<D> {
  const rows = new Map<string, D>(before.key === key ? before.rows : NONE);
  for (const [id, detail] of newer) {
    const known = rows.get(id);
    rows.delete(id);
    rows.set(id, known === undefined ? detail : { ...known, ...detail });
  }
  for (const id of rows.keys()) {
    if (rows.size <= most) break;
    rows.delete(id);
  }
  return { key, rows };
}

/** Details of rows that come and go while one scrolls, at the moment that `key` names; `add` lays newer ones over them. */
export function useDetails<D extends object>(key: string): { details: ReadonlyMap<string, D>; add: (key: string, newer: ReadonlyMap<string, D>) => void } {
  const [state, setState] = useState<Details<D>>({ key, rows: NONE });
  const add = useCallback((at: string, newer: ReadonlyMap<string, D>) => setState((before) => withDetails(before, at, newer)), []);
  return { details: state.key === key ? state.rows : NONE, add };
}
