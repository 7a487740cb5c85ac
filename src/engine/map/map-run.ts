import type { Frame, Preparation, PreparedStates } from '../definition/prepared-state.ts';
import { forEachInPool } from '../pool.ts';
import { StateError } from '../state-error.ts';
import { runChild } from './child-execution.ts';
import type { ChildResults } from './child-results.ts';
import type { ChildInput } from './item-batcher.ts';
import type { HasFailed } from './tolerated-failure.ts';

/** One run of a Distributed Map's children. */
export interface MapRun {
  arn: string;
  /** Machine name and label, as children's ARNs have them. */
  childMachine: string;
  processor: PreparedStates;
  runStates: Preparation['runStates'];
  /** Where the Map state runs, under the scope of its Map Run. */
  frame: Frame;
  /** Aborted where the Map state is: a Map Run that fails by itself aborts only its own scope. */
  parent: AbortSignal;
}

/** What the children of a Map Run are, and when it has failed. */
export interface MapRunWork {
  children: Iterable<ChildInput>;
  itemCount: number;
  limit: number;
  hasFailed: HasFailed;
  results: ChildResults;
}

/** Runs the children, and gives the Map state's result. A failed run writes what results it has. */
export async function runChildren(run: MapRun, work: MapRunWork): Promise<unknown> {
  const { scope } = run.frame;
  const failures = new FailedItems(work);
  try {
    await forEachInPool(work.children, {
      limit: Math.min(work.limit, work.itemCount),
      work: async (child) => {
        const ended = await runChild(child, run);
        await work.results.add(child.childIndex, ended);
        // An aborted child is no failure of its own: whatever ended it ends the Map Run.
        scope.signal.throwIfAborted();
        if (ended.result.Status === 'FAILED') failures.add(child.itemCount);
      },
      onFailure: (error) => scope.abort(error),
    });
  } catch (error) {
    if (!run.parent.aborted) await work.results.finish();
    throw error;
  }
  return work.results.finish();
}

/** Counts the items of failed children, up to what is tolerated. */
class FailedItems {
  readonly #work: MapRunWork;
  #count = 0;

  constructor(work: MapRunWork) {
    this.#work = work;
  }

  add(count: number): void {
    this.#count += count;
    if (!this.#work.hasFailed(this.#count, this.#work.itemCount)) return;
    throw new StateError(
      'States.ExceedToleratedFailureThreshold',
      'The specified tolerated failure threshold was exceeded',
    );
  }
}
