import { AbortScope, TIMER_NO_LONGER_NEEDED } from './abort-scope.ts';
import { toPayload } from './data/payload.ts';
import type { StateMachineDefinition } from './definition/amazon-states-language.ts';
import { prepareDefinition } from './definition/prepare-definition.ts';
import type { EngineDeps, Frame, PreparedStates } from './definition/prepared-state.ts';
import { errorDetails, History } from './history.ts';
import { StateError } from './state-error.ts';
import { runStates } from './states/run-states.ts';

/** A state machine, and what it needs of the world. */
export interface EngineOptions extends EngineDeps {
  definition: StateMachineDefinition;
  /** Stands in ARNs and `$$.StateMachine.Name`; `StateMachine` unless given. */
  stateMachineName?: string;
}

/** One execution to run. */
export interface ExecutionRequest {
  name: string;
  input: unknown;
  /** Ends the execution as ABORTED: nothing is started any more, and running tasks and waits get the signal. */
  signal?: AbortSignal;
}

/** How an execution ended. Dates are milliseconds since 1970-01-01T00:00:00Z. */
export type ExecutionResult = { startDate: number; stopDate: number } & (
  | { status: 'SUCCEEDED'; output: unknown }
  | { status: 'FAILED' | 'TIMED_OUT' | 'ABORTED'; error?: string; cause?: string }
);

type Ending =
  | { status: 'SUCCEEDED'; output: unknown }
  | { status: 'FAILED' | 'TIMED_OUT' | 'ABORTED'; error?: string; cause?: string };

const ARN = 'arn:aws:states:local:000000000000';
const endEvents = {
  FAILED: 'ExecutionFailed',
  TIMED_OUT: 'ExecutionTimedOut',
  ABORTED: 'ExecutionAborted',
} as const;

/**
 * Runs a state machine to its end. Rejects only where the definition is refused (InvalidDefinitionError, before
 * anything ran) or something that no execution may catch is broken.
 */
export async function runExecution(
  options: EngineOptions,
  { name, input, signal }: ExecutionRequest,
): Promise<ExecutionResult> {
  const { definition, clock, onEvent, stateMachineName = 'StateMachine' } = options;
  const machine = prepareDefinition(definition);
  const scope = AbortScope.following(signal);
  const history = new History(name, { now: clock.now, ...(onEvent && { onEvent }) });
  const startDate = clock.now();
  const Execution = {
    Id: `${ARN}:execution:${stateMachineName}:${name}`,
    Input: input,
    Name: name,
    RoleArn: 'arn:aws:iam::000000000000:role/local',
    StartTime: new Date(startDate).toISOString(),
    RedriveCount: 0,
  };
  const StateMachine = { Id: `${ARN}:stateMachine:${stateMachineName}`, Name: stateMachineName };
  const frame: Frame = {
    deps: options,
    executionName: name,
    history,
    scope,
    context: { Execution, StateMachine },
  };
  try {
    const ending = await runToEnd(machine, {
      frame,
      input,
      signal,
      timeoutSeconds: definition.TimeoutSeconds,
    });
    if (ending.status === 'SUCCEEDED') history.close({ type: 'ExecutionSucceeded', output: ending.output });
    else {
      const { status, ...details } = ending;
      history.close({ type: endEvents[status], ...details });
    }
    return { ...ending, startDate, stopDate: clock.now() };
  } finally {
    scope.release();
  }
}

async function runToEnd(
  machine: PreparedStates,
  {
    frame,
    input,
    signal,
    timeoutSeconds,
  }: { frame: Frame; input: unknown; signal: AbortSignal | undefined; timeoutSeconds: number | undefined },
): Promise<Ending> {
  const { scope, history, deps } = frame;
  const run = async (): Promise<Ending> => {
    const payload = toPayload(input, 'The execution was given an input');
    frame.context.Execution.Input = payload;
    history.record({ type: 'ExecutionStarted', input: payload });
    return { status: 'SUCCEEDED', output: await runStates(machine, payload, frame) };
  };
  const timerScope = scope.fork();
  try {
    if (timeoutSeconds === undefined) return await run();
    const timedOut: Ending = { status: 'TIMED_OUT', error: 'States.Timeout' };
    const timeout = deps.clock.sleep(timeoutSeconds * 1000, timerScope.signal).then(() => timedOut);
    const ending = await Promise.race([run(), timeout]);
    if (ending === timedOut) scope.abort(new StateError('States.Timeout'));
    return ending;
  } catch (error) {
    if (signal?.aborted) return { status: 'ABORTED', ...describeAbort(signal.reason) };
    if (error instanceof StateError) return { status: 'FAILED', ...errorDetails(error) };
    scope.abort(error);
    throw error;
  } finally {
    timerScope.abort(TIMER_NO_LONGER_NEEDED);
    timerScope.release();
  }
}

function describeAbort(reason: unknown): { error: string; cause: string } {
  return reason instanceof Error
    ? { error: reason.name, cause: reason.message }
    : { error: 'AbortError', cause: String(reason) };
}
