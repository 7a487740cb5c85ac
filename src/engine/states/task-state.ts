import { TIMER_NO_LONGER_NEEDED } from '../abort-scope.ts';
import { prepareNumber } from '../data/number-field.ts';
import { toPayload } from '../data/payload.ts';
import type { TaskState } from '../definition/amazon-states-language.ts';
import type { Preparation, StateWork, TaskCall, Visit } from '../definition/prepared-state.ts';
import { errorDetails } from '../history.ts';
import { StateError } from '../state-error.ts';

const LAMBDA = /^arn:aws[\w-]*:(states:::lambda:invoke$|lambda:)/;

/** Has the task carried out, and gives its result. */
export function prepareTask(state: TaskState, { stateName }: Preparation): StateWork {
  const { Resource: resource } = state;
  const timeout = prepareNumber(state, 'TimeoutSeconds');
  const named = { stateName, resource };
  return async (input, visit) => {
    const { history, scope, executionName } = visit.frame;
    const parameters = toPayload(input.parameters, `The state/task '${stateName}' was given an input`);
    const timeoutSeconds = timeout(input.data, visit);
    const timed = timeoutSeconds === undefined ? {} : { timeoutInSeconds: timeoutSeconds };
    history.record({ type: 'TaskScheduled', ...named, parameters, ...timed });
    history.record({ type: 'TaskStarted', ...named });
    try {
      const call = { resource, parameters, stateName, executionName };
      const result = await runWithTimeout(call, visit, timeoutSeconds);
      const output = toPayload(result, `The state/task '${stateName}' returned a result`);
      history.record({ type: 'TaskSucceeded', ...named, output });
      return output;
    } catch (thrown) {
      if (scope.signal.aborted) throw thrown;
      const error = toStateError(thrown, resource);
      const type = error.error === 'States.Timeout' ? 'TaskTimedOut' : 'TaskFailed';
      history.record({ type, ...named, ...errorDetails(error) });
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
      const error = new StateError('States.Timeout', `The task took longer than ${timeoutSeconds} seconds.`);
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

function toStateError(thrown: unknown, resource: string): StateError {
  if (thrown instanceof StateError) return thrown;
  if (!(thrown instanceof Error)) return new StateError('States.TaskFailed', String(thrown));
  if (typeof thrown.cause === 'string') return new StateError(thrown.name, thrown.cause);
  const cause = LAMBDA.test(resource)
    ? JSON.stringify({ errorType: thrown.name, errorMessage: thrown.message })
    : thrown.message;
  return new StateError(thrown.name, cause);
}
