/** Where a cursor is among the instants of a chart after a key; null: the key moves no cursor. */
export function moved(key: string, isShifted: boolean, instants: ArrayLike<number>, at: number | null): number | null {
  const last = instants.length - 1;
  if (last < 0) return null;
  const steps: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1, PageDown: -PAGE, PageUp: PAGE };
  if (key === "Home") return instants[0] as number;
  if (key === "End") return instants[last] as number;
  const step = steps[key];
  if (step === undefined) return null;
  // A cursor that is not there yet begins at the newest point.
  if (at === null) return instants[last] as number;
  const place = placeAt(instants, at);
  return instants[Math.min(last, Math.max(0, place + step * (isShifted ? PAGE : 1)))] as number;
}

const PAGE = 10;

/** Return the last place whose instant is not after `at`; 0 where all are. */
export function placeAt(instants: ArrayLike<number>, at: number): number {
  let [low, high] = [0, instants.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((instants[middle] as number) <= at) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}

/** Return a range half or twice as long, in which the cursor stays where it is; it does not reach beyond `endMs`. */
export function zoomed(range: { fromMs: number; toMs: number }, at: number, factor: 0.5 | 2, endMs: number): { fromMs: number; toMs: number } {
  const fromMs = at - (at - range.fromMs) * factor;
  const toMs = at + (range.toMs - at) * factor;
  const beyond = Math.max(0, toMs - endMs);
  return { fromMs: Math.round(fromMs - beyond), toMs: Math.round(toMs - beyond) };
}
