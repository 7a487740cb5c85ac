import {
  DescribeExecutionCommand,
  ListExecutionsCommand,
  ListMapRunsCommand,
  type SFNClient,
} from '@aws-sdk/client-sfn';
import { callAws } from '../../bedrock/call-aws.ts';
import { messageOfCause } from '../../core/error-cause.ts';
import type { ExecutionDetails } from './executions.ts';

/** Why an execution has ended badly: the name of an error, and what to do. */
export interface ExecutionFault {
  error: string;
  message: string;
}

/** What an execution that has ended otherwise than well says of it. */
export async function faultOf(execution: ExecutionDetails, sfn: SFNClient): Promise<ExecutionFault> {
  const { status, error, cause, name } = execution;
  const message = messageOfCause(cause);
  if (status === 'ABORTED') {
    return {
      error: 'ExecutionAborted',
      message: `The execution ${name} was stopped from outside${message === undefined ? '' : ` (${message})`}. What was collected is kept, and jobs that still run go on. To collect their results and continue, start the run again.`,
    };
  }
  if (status === 'TIMED_OUT') {
    return {
      error: 'States.Timeout',
      message: `The execution ${name} exceeded its time limit. What was collected is kept. To continue, start the run again.`,
    };
  }
  // A Map state says only that too many of its children failed, never why.
  const child = error?.startsWith('States.') ? await firstFailedChild(execution, sfn) : undefined;
  return {
    error: child?.error ?? error ?? 'States.Runtime',
    message: child?.message ?? message ?? error ?? `The execution ${name} failed and does not say why.`,
  };
}

/** The error of the first child that failed in the last of an execution's Map Runs; undefined where it cannot be had. */
async function firstFailedChild(
  { executionArn }: ExecutionDetails,
  sfn: SFNClient,
): Promise<ExecutionFault | undefined> {
  try {
    const { mapRuns = [] } = await callAws(
      { doing: `list the Map Runs of ${executionArn}`, action: 'states:ListMapRuns' },
      () => sfn.send(new ListMapRunsCommand({ executionArn })),
    );
    const last = mapRuns.toSorted((a, b) => Number(b.startDate) - Number(a.startDate))[0];
    if (last === undefined) return undefined;
    const { executions = [] } = await sfn.send(
      new ListExecutionsCommand({ mapRunArn: last.mapRunArn, statusFilter: 'FAILED', maxResults: 1 }),
    );
    if (executions[0] === undefined) return undefined;
    const { error, cause } = await sfn.send(
      new DescribeExecutionCommand({ executionArn: executions[0].executionArn }),
    );
    const message = messageOfCause(cause);
    return error === undefined || message === undefined ? undefined : { error, message };
  } catch {
    // The execution's own error is told instead.
    return undefined;
  }
}
