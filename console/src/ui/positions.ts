/** Where a list was when one of its rows was opened. */
export type Position = { activeId: string; top: number };

// Of so many lists, the latest.
const POSITIONS_MOST = 50;

const positions = new Map<string, Position>();

/** Remember where a list is, by its name and the page's entry in the browser's history. */
export function rememberPosition(list: string, position: Position): void {
  const key = keyOf(list);
  positions.delete(key);
  positions.set(key, position);
  const [oldest] = positions.keys();
  if (positions.size > POSITIONS_MOST && oldest !== undefined) positions.delete(oldest);
}

/** Return where a list was left, for who comes back to it by the history; null: it is opened by another way. */
export function positionToReturn(list: string): Position | null {
  return positions.get(keyOf(list)) ?? null;
}

/** The router gives each entry of the history a key of its own. */
function keyOf(list: string): string {
  const entry = history.state as { __TSR_key?: string } | null;
  return `${entry?.__TSR_key ?? ""} ${list}`;
}
