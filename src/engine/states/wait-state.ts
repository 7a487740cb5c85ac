import { prepareNumber } from '../data/number-field.ts';
import { compileExpression } from '../data/payload-template.ts';
import type { WaitState } from '../definition/amazon-states-language.ts';
import type { StateWork } from '../definition/prepared-state.ts';
import { InvalidDefinitionError, inField, StateError } from '../state-error.ts';
import { parseTimestamp } from './choice-rule.ts';

/** Sleeps for the seconds, or until the time, that the state names. */
export function prepareWait(state: WaitState): StateWork {
  const seconds = prepareNumber(state, 'Seconds');
  const timestamp = prepareTimestamp(state);
  return async (input, visit) => {
    const { clock } = visit.frame.deps;
    const waitSeconds = seconds(input.data, visit);
    const scope = { data: input.data, context: visit.context, random: visit.frame.deps.random };
    const delayMs = waitSeconds === undefined ? timestamp(scope) - clock.now() : waitSeconds * 1000;
    if (delayMs > 0) await clock.sleep(delayMs, visit.frame.scope.signal);
    return input.data;
  };
}

function prepareTimestamp(state: WaitState) {
  if (state.Timestamp !== undefined) {
    const fixedMs = parseTimestamp(state.Timestamp);
    if (fixedMs === undefined)
      throw new InvalidDefinitionError(`Timestamp: "${state.Timestamp}" is not an RFC 3339 time`);
    return () => fixedMs;
  }
  const path = state.TimestampPath ?? '$';
  const expression = inField('TimestampPath', () => compileExpression('TimestampPath', path));
  return (scope: Parameters<typeof expression>[0]): number => {
    const timestampMs = parseTimestamp(expression(scope));
    if (timestampMs === undefined)
      throw new StateError('States.Runtime', `The TimestampPath '${path}' does not lead to an RFC 3339 time`);
    return timestampMs;
  };
}
