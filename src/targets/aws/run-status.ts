import type { JobStatus } from '../../core/jobs/job.ts';
import { RunPlan } from '../../core/plan/run-plan.ts';
import { isCancelled } from '../../steps/run/cancellation.ts';
import { readJsonIfPresent } from '../../store/json-object.ts';
import { jobsOfRun, layoutOf } from '../jobs-of-run.ts';
import type { DeployedTarget } from './deployed-target.ts';
import { type ExecutionFault, faultOf } from './execution-fault.ts';
import {
  describeExecution,
  type Execution,
  findExecutions,
  isOpen,
  listExecutions,
  parseExecutionName,
} from './executions.ts';

/** Where a run on AWS stands, beside what its files tell. */
export interface DeployedRunStatus {
  runId: string;
  /** The execution at work on it, or the last one; undefined where its executions are forgotten, after 90 days. */
  execution: Execution | undefined;
  isAtWork: boolean;
  /** Why the last execution ended, where it ended badly. */
  fault: ExecutionFault | undefined;
  isCancelled: boolean;
  /** Jobs by status, and how many of their records are done, by Bedrock's own count. */
  jobs: { byStatus: Partial<Record<JobStatus, number>>; totalRecords: number; processedRecords: number };
}

/** Looks at a run's execution and jobs. */
export async function readRunStatus(runId: string, target: DeployedTarget): Promise<DeployedRunStatus> {
  const { store, sfn, deployment } = target;
  const layout = layoutOf(deployment.bucket, runId);
  const [[execution], cancelled, plan] = await Promise.all([
    findExecutions(runId, target),
    isCancelled(layout, store),
    readJsonIfPresent(store, layout.plan, RunPlan),
  ]);
  const hasEndedBadly = execution !== undefined && !isOpen(execution) && execution.status !== 'SUCCEEDED';
  const jobs: DeployedRunStatus['jobs'] = { byStatus: {}, totalRecords: 0, processedRecords: 0 };
  if (plan !== undefined) {
    for await (const { status, totalRecords = 0, processedRecords = 0 } of jobsOfRun(plan, {
      ...target,
      bucket: deployment.bucket,
    })) {
      jobs.byStatus[status] = (jobs.byStatus[status] ?? 0) + 1;
      jobs.totalRecords += totalRecords;
      jobs.processedRecords += processedRecords;
    }
  }
  return {
    runId,
    execution,
    isAtWork: execution !== undefined && isOpen(execution),
    fault: hasEndedBadly
      ? await faultOf(await describeExecution(sfn, execution.executionArn), sfn)
      : undefined,
    isCancelled: cancelled,
    jobs,
  };
}

/** The last execution of every run that Quarry has started, by the run's id. */
export async function lastExecutions(
  target: Pick<DeployedTarget, 'sfn' | 'deployment'>,
): Promise<Map<string, Execution>> {
  const last = new Map<string, Execution>();
  for (const execution of await listExecutions(target)) {
    const { base } = parseExecutionName(execution.name);
    if (!last.has(base)) last.set(base, execution);
  }
  return last;
}
