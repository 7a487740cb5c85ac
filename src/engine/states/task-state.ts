import { TIMER_NO_LONGER_NEEDED } from '../abort-scope.ts';
import { prepareNumber, textOf } from '../data/number-field.ts';
import { toPayload } from '../data/payload.ts';
import { invalidPath } from '../data/payload-template.ts';
import type { TaskState } from '../definition/amazon-states-language.ts';
import type { Preparation, StateWork, TaskCall, Visit } from '../definition/prepared-state.ts';
import { runtimeError, StateError } from '../state-error.ts';
import { taskEvents } from './task-events.ts';
import { callsFunction, taskNameOf } from './task-resource.ts';

/** "99999999" is the largest number of seconds that Step Functions takes (developer guide, Task state). */
const MAX_TIMEOUT_SECONDS = 99_999_999;

/** Has the task carried out, and gives its result. */
export function prepareTask(state: TaskState, { stateName }: Preparation): StateWork {
  const { Resource: resource } = state;
  const timeout = prepareNumber(state, {
    field: 'TimeoutSeconds',
    read: readTimeout,
    whenMissing: invalidPath,
  });
  const events = taskEvents({ stateName, resource });
  return async (input, visit) => {
    const { history, scope, executionName } = visit.frame;
    const parameters = toPayload(input.parameters, `The state/task '${stateName}' was given an input`);
    const timeoutSeconds = timeout(input.data, visit);
    history.record(events.scheduled(parameters, timeoutSeconds));
    history.record(events.started());
    try {
      const call = { resource, parameters, stateName, executionName };
      const result = await runWithTimeout(call, visit, timeoutSeconds);
      const output = toPayload(result, `The state/task '${taskNameOf(resource)}' returned a result`);
      history.record(events.succeeded(output));
      return output;
    } catch (thrown) {
      if (scope.signal.aborted) throw thrown;
      const error = toStateError(thrown, resource);
      history.record(events.failed(error));
      throw error;
    }
  };
}

async function runWithTimeout(
  call: Omit<TaskCall, 'signal'>,
  { frame: { deps, scope } }: Visit,
  timeoutSeconds: number | undefined,
): Promise<unknown> {
  const run = async (signal: AbortSignal) => deps.clock.busy(() => deps.runTask({ ...call, signal }));
  if (timeoutSeconds === undefined) return run(scope.signal);
  const taskScope = scope.fork();
  const timerScope = scope.fork();
  try {
    const timeout = deps.clock.sleep(timeoutSeconds * 1000, timerScope.signal).then(() => {
      const error = new StateError('States.Timeout');
      taskScope.abort(error);
      throw error;
    });
    return await Promise.race([run(taskScope.signal), timeout]);
  } finally {
    timerScope.abort(TIMER_NO_LONGER_NEEDED);
    timerScope.release();
    taskScope.release();
  }
}

function readTimeout(value: unknown, path: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAX_TIMEOUT_SECONDS)
    return value;
  throw runtimeError(
    `The TimeoutSecondsPath parameter must reference a whole number from 1 to ${MAX_TIMEOUT_SECONDS}: ${path} == ${textOf(value)}`,
  );
}

function toStateError(thrown: unknown, resource: string): StateError {
  const options = { cause: thrown, ofTask: true };
  if (thrown instanceof StateError) return new StateError(thrown.error, thrown.causeText, options);
  if (!(thrown instanceof Error)) return new StateError('States.TaskFailed', String(thrown), options);
  if (typeof thrown.cause === 'string') return new StateError(thrown.name, thrown.cause, options);
  const cause = callsFunction(resource)
    ? JSON.stringify({ errorType: thrown.name, errorMessage: thrown.message })
    : thrown.message;
  return new StateError(thrown.name, cause, options);
}
