import { prepareNumber, textOf } from '../data/number-field.ts';
import { compileExpression, noInputValueFor } from '../data/payload-template.ts';
import { parseTimestamp } from '../data/timestamp.ts';
import type { WaitState } from '../definition/amazon-states-language.ts';
import { type StateWork, scopeOf, type Visit } from '../definition/prepared-state.ts';
import { InvalidDefinitionError, inField, runtimeError } from '../state-error.ts';

/** Step Functions counts the seconds of a wait in a signed 32-bit integer. */
const MAX_WAIT_SECONDS = 2 ** 31 - 1;

/** Sleeps for the seconds, or until the time, that the state names. */
export function prepareWait(state: WaitState): StateWork {
  const whenMissing = noInputValueFor('SecondsPath');
  const seconds = prepareNumber(state, { field: 'Seconds', read: readSeconds, whenMissing });
  const timestamp = prepareTimestamp(state);
  return async (input, visit) => {
    const { clock } = visit.frame.deps;
    const waitSeconds = seconds(input.data, visit);
    const delayMs =
      waitSeconds === undefined ? timestamp(input.data, visit) - clock.now() : waitSeconds * 1000;
    if (delayMs > MAX_WAIT_SECONDS * 1000) throw runtimeError('Wait state delay is too long.');
    if (delayMs > 0) await clock.sleep(delayMs, visit.frame.scope.signal);
    return input.data;
  };
}

function readSeconds(value: unknown, path: string): number {
  const what = `${path} == ${textOf(value)}`;
  if (typeof value !== 'number' || !Number.isInteger(value))
    throw runtimeError(`The SecondsPath parameter cannot be parsed as a long value: ${what}`);
  if (value < 0) throw runtimeError(`The SecondsPath parameter references a negative value: ${what}`);
  return value;
}

function prepareTimestamp(state: WaitState): (data: unknown, visit: Visit) => number {
  if (state.Timestamp !== undefined) {
    const fixedMs = parseTimestamp(state.Timestamp);
    if (fixedMs === undefined)
      throw new InvalidDefinitionError(`Timestamp: "${state.Timestamp}" is not an RFC 3339 time`);
    return () => fixedMs;
  }
  const path = state.TimestampPath ?? '$';
  const expression = inField('TimestampPath', () =>
    compileExpression(path, noInputValueFor('TimestampPath')),
  );
  return (data, visit) => {
    const value = expression(scopeOf(data, visit));
    const timestampMs = parseTimestamp(value);
    if (timestampMs === undefined)
      throw runtimeError(
        `The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format string: ${path} == ${textOf(value)}`,
      );
    return timestampMs;
  };
}
