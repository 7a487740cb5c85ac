import { findRun, readRun } from '../../runs/run-store.ts';
import { type DeployedRunStatus, readRunStatus } from '../../targets/aws/run-status.ts';
import type { CliContext } from '../cli-context.ts';
import { openStack } from '../options/open-stack.ts';
import { count } from '../views/format.ts';
import { progressLines, readProgress } from '../views/run-progress-view.ts';
import { summaryText } from '../views/summary-view.ts';
import { attachTo, type DeployedFiles } from './deployed-run.ts';
import { dirFlag, reportRun } from './follow-run.ts';

/** How a status is shown. */
export interface DeployedStatusOptions {
  files: DeployedFiles;
  context: CliContext;
  follow: boolean;
  json: boolean;
}

/** Shows where a run of a stack stands, or follows its execution to the end. */
export async function showDeployedStatus(runId: string, options: DeployedStatusOptions): Promise<void> {
  const { files, context, follow, json } = options;
  const status = await statusOf(runId, files);
  const { execution, isAtWork } = status;
  if (follow && execution !== undefined && isAtWork) {
    const { executionArn } = execution;
    const result = await attachTo({ executionArn, runId }, { files, context });
    return reportRun(result, { files, json }, context);
  }
  // Before Plan has ended there is an execution, and no run in the bucket.
  const run = execution === undefined ? await findRun(files, runId) : await readRun(files, runId);
  if (run?.summary !== undefined) {
    context.out.write(summaryText(run.summary, files.store, json));
    return;
  }
  const progress = run === undefined ? undefined : await readProgress(run, files.store);
  if (json) {
    const state = { run_id: runId, ...progress, ...executionJson(status) };
    context.out.write(`${JSON.stringify(state, null, 2)}\n`);
    return;
  }
  const worker = workerLines(status);
  const lines =
    progress === undefined
      ? [`Run ${runId} has no plan yet.`, ...worker]
      : progressLines(progress, files.dir, worker);
  context.out.write(`${[...lines, ...adviceLines(status, files.dir)].join('\n')}\n`);
}

async function statusOf(runId: string, files: DeployedFiles): Promise<DeployedRunStatus> {
  await using target = await openStack(files.target);
  return readRunStatus(runId, target);
}

function executionJson({ execution, isAtWork, isCancelled, fault, jobs }: DeployedRunStatus) {
  return {
    status: isCancelled && isAtWork ? 'cancelling' : isAtWork ? 'running' : 'unfinished',
    process: null,
    execution:
      execution === undefined
        ? null
        : {
            arn: execution.executionArn,
            status: execution.status,
            started_at: new Date(execution.startedAtMs).toISOString(),
            error: fault?.error ?? null,
            message: fault?.message ?? null,
          },
    jobs_now: jobs.byStatus,
    records_now: { total: jobs.totalRecords, processed: jobs.processedRecords },
  };
}

function workerLines({ execution, isAtWork, fault, jobs }: DeployedRunStatus): string[] {
  if (execution === undefined) return ['No execution of it is known any more.'];
  const { name, status, startedAtMs } = execution;
  const now = Object.entries(jobs.byStatus).map(([state, number]) => `${number} ${state}`);
  return [
    isAtWork
      ? `The execution ${name} is at work on it, since ${new Date(startedAtMs).toISOString()}.`
      : `No execution is at work on it. The last one, ${name}, ended as ${status}.`,
    ...(fault === undefined ? [] : [`${fault.error}: ${fault.message}`]),
    ...(now.length === 0
      ? []
      : [
          `Bedrock has its jobs as ${now.join(', ')}; ${count(jobs.processedRecords, 'record')} of ${jobs.totalRecords.toLocaleString('en-US')} done.`,
        ]),
  ];
}

function adviceLines({ runId, isAtWork }: DeployedRunStatus, dir: string): string[] {
  const stop = `To stop its jobs: quarry cancel ${runId}${dirFlag(dir)}.`;
  return [
    '',
    isAtWork
      ? `To follow it: quarry status ${runId} --follow${dirFlag(dir)}. ${stop}`
      : `To go on: quarry resume ${runId}${dirFlag(dir)}. ${stop}`,
  ];
}
