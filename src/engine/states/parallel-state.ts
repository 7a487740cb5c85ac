import type { ParallelState } from '../definition/amazon-states-language.ts';
import type { Preparation, StateWork } from '../definition/prepared-state.ts';
import { runTogether } from '../run-together.ts';
import { inField } from '../state-error.ts';

/** Runs the branches side by side on the same input; the first that fails ends the others. */
export function prepareParallel(
  state: ParallelState,
  { stateName, prepareStates, runStates }: Preparation,
): StateWork {
  const branches = state.Branches.map((branch, index) =>
    inField(`Branches[${index}]`, () => prepareStates(branch)),
  );
  return async ({ parameters }, { frame }) => {
    frame.history.record({ type: 'ParallelStateStarted', stateName });
    const outputs: unknown[] = new Array(branches.length);
    await runTogether(branches.entries(), {
      limit: branches.length,
      parent: frame.scope,
      work: async ([index, branch], scope) => {
        outputs[index] = await runStates(branch, parameters, { ...frame, scope });
      },
    });
    frame.history.record({ type: 'ParallelStateSucceeded', stateName });
    return outputs;
  };
}
