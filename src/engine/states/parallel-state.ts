import type { ParallelState } from '../definition/amazon-states-language.ts';
import type { Preparation, StateWork } from '../definition/prepared-state.ts';
import { errorDetails } from '../history.ts';
import { forEachInPool } from '../pool.ts';
import { inField, StateError } from '../state-error.ts';

/** Runs the branches side by side on the same input; the first that fails ends the others. */
export function prepareParallel(
  state: ParallelState,
  { stateName, prepareStates, runStates }: Preparation,
): StateWork {
  const branches = state.Branches.map((branch, index) =>
    inField(`Branches[${index}]`, () => prepareStates(branch)),
  );
  return async ({ parameters }, { frame }) => {
    const { history } = frame;
    history.record({ type: 'ParallelStateStarted', stateName });
    const scope = frame.scope.fork();
    const outputs: unknown[] = new Array(branches.length);
    try {
      await forEachInPool(branches.entries(), {
        limit: branches.length,
        work: async ([index, branch]) => {
          outputs[index] = await runStates(branch, parameters, { ...frame, scope });
        },
        onFailure: (error) => scope.abort(error),
      });
    } catch (error) {
      if (error instanceof StateError && !frame.scope.signal.aborted)
        history.record({ type: 'ParallelStateFailed', stateName, ...errorDetails(error) });
      throw error;
    } finally {
      scope.release();
    }
    history.record({ type: 'ParallelStateSucceeded', stateName });
    return outputs;
  };
}
