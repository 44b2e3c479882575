/** What came of work in batches: the answers of those that were done, what is left where one failed, and why it did. */
type Batches<T, R> = { answers: R[]; rest: T[]; error: unknown };

/**
 * Do work on items in batches, one after the other, until one fails or `isStopped` says so.
 *
 * What is left can be handed in again: nothing that was done is done twice. `onProgress` gets how many items are done.
 */
export async function inBatches<T, R>(
  items: readonly T[],
  size: number,
  work: (batch: readonly T[]) => Promise<R>,
  options: { onProgress?: (done: number) => void; isStopped?: () => boolean } = {},
): Promise<Batches<T, R>> {
  const answers: R[] = [];
  for (let start = 0; start < items.length; start += size) {
    if (options.isStopped?.()) return { answers, rest: items.slice(start), error: null };
    try {
      answers.push(await work(items.slice(start, start + size)));
    } catch (error) {
      return { answers, rest: items.slice(start), error };
    }
    options.onProgress?.(Math.min(start + size, items.length));
  }
  return { answers, rest: [], error: null };
}
