import { createUuid } from '../data/intrinsic-functions.ts';
import { assertPayloadFits } from '../data/payload.ts';
import type { Frame, PreparedStates } from '../definition/prepared-state.ts';
import { errorDetails, History } from '../history.ts';
import { StateError } from '../state-error.ts';
import type { ChildInput } from './item-batcher.ts';

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

/** The Map Run that a child belongs to. */
export interface MapRun {
  arn: string;
  /** Machine name and label, as children's ARNs have them. */
  childMachine: string;
  processor: PreparedStates;
  runStates: (states: PreparedStates, input: unknown, frame: Frame) => Promise<unknown>;
  /** Where the Map state runs, under the scope of its Map Run. */
  frame: Frame;
}

/** Runs one child execution of a Distributed Map, with a history of its own. Its failure is a result. */
export async function runChild(
  { itemIndex, input }: ChildInput,
  { arn, childMachine, processor, runStates, frame }: MapRun,
): Promise<{ output: unknown; result: ChildResult }> {
  assertPayloadFits(input, 'The Map Run was given an item');
  const { deps } = frame;
  const name = createUuid(deps.random);
  const history = new History(name, { now: deps.clock.now, ...(deps.onEvent && { onEvent: deps.onEvent }) });
  const scope = frame.scope.fork();
  const startDate = isoNow(deps.clock.now());
  const arnBase = frame.context.StateMachine.Id.replace(/:stateMachine:.*/, '');
  const executionArn = `${arnBase}:execution:${childMachine}:${name}`;
  const machineArn = `${arnBase}:stateMachine:${childMachine}`;
  const Execution = {
    ...frame.context.Execution,
    Id: executionArn,
    Input: input,
    Name: name,
    StartTime: startDate,
  };
  const context = { Execution, StateMachine: { ...frame.context.StateMachine, Id: machineArn } };
  const end = (
    ending: Pick<ChildResult, 'Status' | 'Output' | 'OutputDetails' | 'Error' | 'Cause'>,
  ): ChildResult => ({
    ExecutionArn: executionArn,
    Input: JSON.stringify(input),
    InputDetails: { Included: true },
    Name: name,
    RedriveCount: 0,
    RedriveStatus: 'NOT_REDRIVABLE',
    StartDate: startDate,
    StateMachineArn: machineArn,
    ...ending,
    StopDate: isoNow(deps.clock.now()),
  });
  try {
    history.record({ type: 'ExecutionStarted', input, mapRunArn: arn, itemIndex });
    const output = await runStates(processor, input, {
      ...frame,
      executionName: name,
      history,
      scope,
      context,
    });
    history.close({ type: 'ExecutionSucceeded', output });
    const Output = JSON.stringify(output);
    return { output, result: end({ Status: 'SUCCEEDED', Output, OutputDetails: { Included: true } }) };
  } catch (error) {
    if (scope.signal.aborted) {
      history.close({ type: 'ExecutionAborted' });
      return { output: undefined, result: end({ Status: 'ABORTED' }) };
    }
    if (!(error instanceof StateError)) throw error;
    history.close({ type: 'ExecutionFailed', ...errorDetails(error) });
    const Cause = error.causeText === undefined ? {} : { Cause: error.causeText };
    return { output: undefined, result: end({ Status: 'FAILED', Error: error.error, ...Cause }) };
  } finally {
    scope.release();
  }
}

function isoNow(ms: number): string {
  return new Date(ms).toISOString();
}
