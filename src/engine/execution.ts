import { AbortScope, TIMER_NO_LONGER_NEEDED } from './abort-scope.ts';
import { toPayload } from './data/payload.ts';
import type { EngineDeps, Frame, MapObjects } from './definition/prepared-state.ts';
import { errorDetails, History } from './history.ts';
import { StateError } from './state-error.ts';
import type { StateMachine } from './state-machine.ts';
import { runStates } from './states/run-states.ts';

/** One execution to run, and what its states need of the world. */
export interface ExecutionOptions extends Omit<EngineDeps, 'objects'> {
  input: unknown;
  /** `execution` unless given. */
  name?: string;
  /** Ends the execution as ABORTED: nothing is started any more, and running tasks and waits get the signal. */
  signal?: AbortSignal;
  /** What ItemReader and ResultWriter read and write; without it both fail. */
  objects?: MapObjects;
}

/** How an execution ended. Dates are milliseconds since 1970-01-01T00:00:00Z. */
export type ExecutionResult = { startDate: number; stopDate: number } & Ending;

type Ending =
  | { status: 'SUCCEEDED'; output: unknown }
  /** Without `error` where a Fail state gave none. */
  | { status: 'FAILED' | 'TIMED_OUT' | 'ABORTED'; error?: string; cause?: string };

const ARN = 'arn:aws:states:local:000000000000';
const endEvents = {
  FAILED: 'ExecutionFailed',
  TIMED_OUT: 'ExecutionTimedOut',
  ABORTED: 'ExecutionAborted',
} as const;
const NO_OBJECTS = async () => {
  throw new Error('the execution was given no objects');
};

/**
 * Runs a state machine to its end. Rejects only where `onEvent` or the clock throws: whatever goes wrong within the
 * execution is its result.
 */
export async function runExecution(
  machine: StateMachine,
  options: ExecutionOptions,
): Promise<ExecutionResult> {
  const { clock, input, signal } = options;
  const frame = openFrame(machine, options);
  const startDate = clock.now();
  try {
    const ending = await runToEnd(machine, { frame, input, signal });
    if (ending.status === 'SUCCEEDED')
      frame.history.close({ type: 'ExecutionSucceeded', output: ending.output });
    else {
      const { status, ...details } = ending;
      frame.history.close({ type: endEvents[status], ...details });
    }
    return { ...ending, startDate, stopDate: clock.now() };
  } finally {
    frame.scope.release();
  }
}

function openFrame(machine: StateMachine, options: ExecutionOptions): Frame {
  const { clock, onEvent, input, name = 'execution' } = options;
  const objects = options.objects ?? { getObject: NO_OBJECTS, putObject: NO_OBJECTS };
  return {
    deps: { ...options, objects },
    executionName: name,
    history: new History(name, { now: clock.now, ...(onEvent && { onEvent }) }),
    scope: AbortScope.following(options.signal),
    context: {
      Execution: {
        Id: `${ARN}:execution:${machine.name}:${name}`,
        Input: input,
        Name: name,
        RoleArn: 'arn:aws:iam::000000000000:role/local',
        StartTime: new Date(clock.now()).toISOString(),
        RedriveCount: 0,
      },
      StateMachine: { Id: `${ARN}:stateMachine:${machine.name}`, Name: machine.name },
    },
  };
}

async function runToEnd(
  machine: StateMachine,
  { frame, input, signal }: { frame: Frame; input: unknown; signal: AbortSignal | undefined },
): Promise<Ending> {
  const { scope, history } = frame;
  const run = async (): Promise<Ending> => {
    const payload = toPayload(input, 'The execution was given an input');
    frame.context.Execution.Input = payload;
    history.record({ type: 'ExecutionStarted', input: payload });
    return { status: 'SUCCEEDED', output: await runStates(machine.states, payload, frame) };
  };
  try {
    return machine.timeoutSeconds === undefined
      ? await run()
      : await runInTime(run, { frame, seconds: machine.timeoutSeconds });
  } catch (error) {
    if (signal?.aborted) return { status: 'ABORTED', ...describeAbort(signal.reason) };
    if (error instanceof StateError) return { status: 'FAILED', ...errorDetails(error) };
    scope.abort(error);
    throw error;
  }
}

async function runInTime(
  run: () => Promise<Ending>,
  { frame: { scope, deps }, seconds }: { frame: Frame; seconds: number },
): Promise<Ending> {
  const timerScope = scope.fork();
  try {
    const timedOut: Ending = { status: 'TIMED_OUT', error: 'States.Timeout' };
    const timeout = deps.clock.sleep(seconds * 1000, timerScope.signal).then(() => timedOut);
    const ending = await Promise.race([run(), timeout]);
    if (ending === timedOut) scope.abort(new StateError('States.Timeout'));
    return ending;
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
