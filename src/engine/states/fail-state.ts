import { compileExpression } from '../data/payload-template.ts';
import type { FailState } from '../definition/amazon-states-language.ts';
import type { StateWork } from '../definition/prepared-state.ts';
import { inField, StateError } from '../state-error.ts';

/** Throws the error that a Fail state describes. */
export function prepareFail(state: FailState): StateWork {
  const error = prepareText('ErrorPath', state.ErrorPath);
  const cause = prepareText('CausePath', state.CausePath);
  return ({ data }, { context, frame }) => {
    const scope = { data, context, random: frame.deps.random };
    throw new StateError(error?.(scope) ?? state.Error ?? '', cause?.(scope) ?? state.Cause);
  };
}

function prepareText(field: string, source: string | undefined) {
  if (source === undefined) return undefined;
  const expression = inField(field, () => compileExpression(field, source));
  return (scope: Parameters<typeof expression>[0]): string => {
    const text = expression(scope);
    if (typeof text !== 'string')
      throw new StateError('States.Runtime', `The ${field} '${source}' does not lead to a string`);
    return text;
  };
}
