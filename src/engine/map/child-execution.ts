import { createUuid } from '../data/intrinsic-functions.ts';
import { assertPayloadFits } from '../data/payload.ts';
import type { Frame } from '../definition/prepared-state.ts';
import { errorDetails, History } from '../history.ts';
import { StateError } from '../state-error.ts';
import type { EndedChild } from './child-results.ts';
import type { ChildInput } from './item-batcher.ts';
import type { MapRun } from './map-run.ts';

/** How a child execution ended, as Step Functions writes it into result files. Input and Output are JSON texts. */
export interface ChildResult {
  ExecutionArn: string;
  Input: string;
  InputDetails: { Included: true };
  Name: string;
  Output?: string;
  OutputDetails?: { Included: true };
  Error?: string;
  Cause?: string;
  RedriveCount: number;
  RedriveStatus: 'NOT_REDRIVABLE';
  StartDate: string;
  StateMachineArn: string;
  Status: 'SUCCEEDED' | 'FAILED' | 'ABORTED';
  StopDate: string;
}

type Ending = Pick<ChildResult, 'Status' | 'Output' | 'OutputDetails' | 'Error' | 'Cause'>;

/** A child execution of a Distributed Map, about to run. */
interface Child {
  name: string;
  executionArn: string;
  machineArn: string;
  startDate: string;
  frame: Frame;
}

/** Runs one child execution of a Distributed Map, with a history of its own. Its failure is a result. */
export async function runChild({ itemIndex, input }: ChildInput, run: MapRun): Promise<EndedChild> {
  assertPayloadFits(input, 'The Map Run was given an item');
  const child = createChild(input, run);
  const { history, scope } = child.frame;
  try {
    history.record({ type: 'ExecutionStarted', input, mapRunArn: run.arn, itemIndex });
    const output = await run.runStates(run.processor, input, child.frame);
    history.close({ type: 'ExecutionSucceeded', output });
    const ending = { Output: JSON.stringify(output), OutputDetails: { Included: true } } as const;
    return { output, result: resultOf(child, input, { Status: 'SUCCEEDED', ...ending }) };
  } catch (error) {
    return { output: undefined, result: resultOf(child, input, endingOf(error, child.frame)) };
  } finally {
    scope.release();
  }
}

function createChild(input: unknown, { childMachine, frame }: MapRun): Child {
  const { deps, context } = frame;
  const name = createUuid(deps.random);
  const history = new History(name, { now: deps.clock.now, ...(deps.onEvent && { onEvent: deps.onEvent }) });
  const startDate = isoNow(frame);
  const arnBase = context.StateMachine.Id.replace(/:stateMachine:.*/, '');
  const executionArn = `${arnBase}:execution:${childMachine}:${name}`;
  const machineArn = `${arnBase}:stateMachine:${childMachine}`;
  const childContext = {
    Execution: { ...context.Execution, Id: executionArn, Input: input, Name: name, StartTime: startDate },
    StateMachine: { ...context.StateMachine, Id: machineArn },
  };
  const scope = frame.scope.fork();
  const childFrame = { ...frame, executionName: name, history, scope, context: childContext };
  return { name, executionArn, machineArn, startDate, frame: childFrame };
}

/** Records how a child failed. Throws what is no failure of its own. */
function endingOf(error: unknown, { history, scope }: Frame): Ending {
  if (scope.signal.aborted) {
    history.close({ type: 'ExecutionAborted' });
    return { Status: 'ABORTED' };
  }
  if (!(error instanceof StateError)) throw error;
  const details = errorDetails(error);
  history.close({ type: 'ExecutionFailed', ...details });
  return {
    Status: 'FAILED',
    ...(details.error !== undefined && { Error: details.error }),
    ...(details.cause !== undefined && { Cause: details.cause }),
  };
}

function resultOf(child: Child, input: unknown, ending: Ending): ChildResult {
  return {
    ExecutionArn: child.executionArn,
    Input: JSON.stringify(input),
    InputDetails: { Included: true },
    Name: child.name,
    RedriveCount: 0,
    RedriveStatus: 'NOT_REDRIVABLE',
    StartDate: child.startDate,
    StateMachineArn: child.machineArn,
    ...ending,
    StopDate: isoNow(child.frame),
  };
}

function isoNow({ deps }: Frame): string {
  return new Date(deps.clock.now()).toISOString();
}
