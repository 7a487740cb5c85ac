/**
 * Works through the items in order with at most `limit` of them under way. After a failure no further item is
 * started, and the first failure is thrown once everything under way has ended.
 */
export async function forEachInPool<T>(
  items: Iterable<T>,
  {
    limit,
    work,
    onFailure,
  }: { limit: number; work: (item: T) => Promise<void>; onFailure: (error: unknown) => void },
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  let failure: { error: unknown } | undefined;
  const worker = async () => {
    while (failure === undefined) {
      try {
        const next = iterator.next();
        if (next.done) return;
        await work(next.value);
      } catch (error) {
        if (failure !== undefined) return;
        failure = { error };
        onFailure(error);
      }
    }
  };
  await Promise.all(Array.from({ length: limit }, worker));
  if (failure !== undefined) throw failure.error;
}
