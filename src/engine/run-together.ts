import type { AbortScope } from './abort-scope.ts';
import { forEachInPool } from './pool.ts';
import { FailureWithin, StateError } from './state-error.ts';

/**
 * Works through the items with at most `limit` under way; the first failure ends the others, and is thrown as a
 * FailureWithin. An abort from above is thrown as it is.
 */
export async function runTogether<T>(
  items: Iterable<T>,
  {
    limit,
    parent,
    work,
  }: { limit: number; parent: AbortScope; work: (item: T, scope: AbortScope) => Promise<void> },
): Promise<void> {
  const scope = parent.fork();
  try {
    await forEachInPool(items, {
      limit,
      work: (item) => work(item, scope),
      onFailure: (error) => scope.abort(error),
    });
  } catch (error) {
    if (!(error instanceof StateError) || parent.signal.aborted) throw error;
    throw new FailureWithin(error.message, { cause: error });
  } finally {
    scope.release();
  }
}
