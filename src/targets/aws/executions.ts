import {
  DescribeExecutionCommand,
  type DescribeExecutionOutput,
  type ExecutionListItem,
  type ExecutionStatus,
  ListExecutionsCommand,
  type ListExecutionsOutput,
  type SFNClient,
} from '@aws-sdk/client-sfn';
import pLimit from 'p-limit';
import { z } from 'zod';
import { callAws } from '../../bedrock/call-aws.ts';
import type { DeployedTarget } from './deployed-target.ts';
import { plannedRunOf } from './execution-history.ts';

/** An execution of the state machine, as a listing tells of it. */
export interface Execution {
  executionArn: string;
  name: string;
  status: ExecutionStatus;
  /** Milliseconds since 1970. */
  startedAtMs: number;
}

/** An execution with what it was given and what it left. */
export interface ExecutionDetails extends Execution {
  input: string;
  output: string | undefined;
  error: string | undefined;
  cause: string | undefined;
}

/** Executions on one page. https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html */
const PAGE_SIZE = 1000;
/** Pages that a search reads: the newest executions. */
const MAX_PAGES = 10;
/** Executions under other names, as the console gives them, that a search looks into. */
const MAX_LOOKED_INTO = 50;
/** Looks at once: Step Functions answers 15 a second. https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
const CONCURRENT_LOOKS = 4;

/** `<base>`, `<base>_2`, …: a name counts for 90 days, so a run that is started again needs another one. */
export function executionNameOf(base: string, attempt: number): string {
  return attempt === 1 ? base : `${base}_${attempt}`;
}

/** The base and number of a name that Quarry gave; ids of runs have no `_`. */
export function parseExecutionName(name: string): { base: string; attempt: number } {
  const [, base = name, attempt = '1'] = /^(.+?)(?:_(\d+))?$/.exec(name) ?? [];
  return { base, attempt: Number(attempt) };
}

/** True while an execution may still do something. */
export function isOpen({ status }: Pick<Execution, 'status'>): boolean {
  return status === 'RUNNING' || status === 'PENDING_REDRIVE';
}

/** The executions of the state machine, the newest first, without its Map Runs' children. */
export async function listExecutions(
  { sfn, deployment }: Pick<DeployedTarget, 'sfn' | 'deployment'>,
  statusFilter?: ExecutionStatus,
): Promise<Execution[]> {
  const executions: Execution[] = [];
  let nextToken: string | undefined;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const answer: ListExecutionsOutput = await callAws(
      { doing: `list the executions of ${deployment.stateMachineName}`, action: 'states:ListExecutions' },
      () =>
        sfn.send(
          new ListExecutionsCommand({
            stateMachineArn: deployment.stateMachineArn,
            maxResults: PAGE_SIZE,
            statusFilter,
            nextToken,
          }),
        ),
    );
    executions.push(...(answer.executions ?? []).map(toExecution));
    nextToken = answer.nextToken ?? undefined;
    if (nextToken === undefined) break;
  }
  return executions.sort((a, b) => b.startedAtMs - a.startedAtMs);
}

/** What an execution was given and what it left; ObjectNotFoundError where it is gone. */
export async function describeExecution(sfn: SFNClient, executionArn: string): Promise<ExecutionDetails> {
  const answer = await callAws(
    { doing: `look at the execution ${executionArn}`, action: 'states:DescribeExecution' },
    () => sfn.send(new DescribeExecutionCommand({ executionArn })),
  );
  return {
    ...toExecution(answer),
    input: answer.input ?? '{}',
    output: answer.output ?? undefined,
    error: answer.error ?? undefined,
    cause: answer.cause ?? undefined,
  };
}

/** The executions of a run, those at work first, then the newest: by their name, or by what they were given or planned. */
export async function findExecutions(runId: string, target: DeployedTarget): Promise<Execution[]> {
  const all = await listExecutions(target);
  const isNamed = ({ name }: Execution) => parseExecutionName(name).base === runId;
  const named = all.filter(isNamed);
  // One that was started in the console may be at work on the run under any name.
  const others = all
    .filter((execution) => !isNamed(execution) && (named.length === 0 || isOpen(execution)))
    .slice(0, MAX_LOOKED_INTO);
  const found = await pLimit(CONCURRENT_LOOKS).map(others, async (execution) =>
    (await runIdOfExecution(execution.executionArn, target)) === runId ? [execution] : [],
  );
  return [...named, ...found.flat()].sort(
    (a, b) => Number(isOpen(b)) - Number(isOpen(a)) || b.startedAtMs - a.startedAtMs,
  );
}

/** The run that an execution works on: the one it was given, or that Plan has named; undefined before that. */
export async function runIdOfExecution(
  executionArn: string,
  { sfn }: Pick<DeployedTarget, 'sfn'>,
): Promise<string | undefined> {
  const { input } = await describeExecution(sfn, executionArn);
  return givenRunId(input) ?? (await plannedRunOf(sfn, executionArn))?.run_id;
}

/** The `run_id` in an execution's input. */
export function givenRunId(input: string): string | undefined {
  return z.object({ run_id: z.string() }).safeParse(JSON.parse(input)).data?.run_id;
}

function toExecution({
  executionArn = '',
  name = '',
  status = 'RUNNING',
  startDate,
}: ExecutionListItem | DescribeExecutionOutput): Execution {
  return { executionArn, name, status, startedAtMs: startDate?.getTime() ?? 0 };
}
