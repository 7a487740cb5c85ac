import { compileExpression, notFoundIn } from '../data/payload-template.ts';
import type { FailState } from '../definition/amazon-states-language.ts';
import { type StateWork, scopeOf, type Visit } from '../definition/prepared-state.ts';
import { inField, runtimeError, StateError } from '../state-error.ts';

/** Throws the error that a Fail state describes. */
export function prepareFail(state: FailState): StateWork {
  const error = prepareText('ErrorPath', state.ErrorPath);
  const cause = prepareText('CausePath', state.CausePath);
  return ({ data }, visit) => {
    throw new StateError(error?.(data, visit) ?? state.Error ?? '', cause?.(data, visit) ?? state.Cause);
  };
}

function prepareText(field: string, source: string | undefined) {
  if (source === undefined) return undefined;
  const expression = inField(field, () => compileExpression(source, notFoundIn(field)));
  return (data: unknown, visit: Visit): string => {
    const text = expression(scopeOf(data, visit));
    if (typeof text !== 'string') throw runtimeError(`The ${field} '${source}' does not lead to a string`);
    return text;
  };
}
