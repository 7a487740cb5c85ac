import type { ChoiceState } from '../definition/amazon-states-language.ts';
import { type PreparedState, scopeOf } from '../definition/prepared-state.ts';
import { StateError } from '../state-error.ts';
import { compileChoiceRule } from './choice-rule.ts';

/** The first rule that holds says where to go on. */
export function prepareChoice(state: ChoiceState): PreparedState['next'] {
  const branches = state.Choices.map((branch) => ({ holds: compileChoiceRule(branch), next: branch.Next }));
  return (data, visit) => {
    const scope = scopeOf(data, visit);
    const next = branches.find(({ holds }) => holds(scope))?.next ?? state.Default;
    if (next === undefined)
      throw new StateError('States.NoChoiceMatched', 'No choice rule held, and there is no Default.');
    return next;
  };
}
