import type { DeployedRunStatus, RunCondition } from '../../index.ts';
import { failureText } from './failure-view.ts';
import { count } from './format.ts';
import { pasteable } from './pasteable.ts';

/** What a stack tells of a run, as `--json` prints it beside what the run's files tell. */
export function executionJson({ execution, isAtWork, isCancelled, fault, jobs }: DeployedRunStatus) {
  return {
    status: conditionOf({ execution, isAtWork, isCancelled }),
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

/** Who is working on the run, for people. */
export function workerLines({ execution, isAtWork, fault, jobs }: DeployedRunStatus): string[] {
  if (execution === undefined) return ['No execution of it is known any more.'];
  const { name, status, startedAtMs } = execution;
  const now = Object.entries(jobs.byStatus).map(([state, number]) => `${number} ${state}`);
  return [
    isAtWork
      ? `The execution ${name} has been working on it since ${new Date(startedAtMs).toISOString()}.`
      : `No execution is working on it. The last one, ${name}, ended as ${status}.`,
    ...(fault === undefined ? [] : [failureText({ name: fault.error, message: fault.message })]),
    ...(now.length === 0
      ? []
      : [
          `Bedrock has its jobs as ${now.join(', ')}; ${count(jobs.processedRecords, 'record')} of ${jobs.totalRecords.toLocaleString('en-US')} done.`,
        ]),
  ];
}

/** What can be done next. */
export function adviceLines({ runId, isAtWork }: DeployedRunStatus, dir: string): string[] {
  return [
    '',
    isAtWork
      ? `To follow it: ${pasteable(`status ${runId} --follow`, dir)}`
      : `To continue: ${pasteable(`resume ${runId}`, dir)}`,
    `To stop its jobs: ${pasteable(`cancel ${runId}`, dir)}`,
  ];
}

/** What a run is whose last execution this is. */
function conditionOf({
  execution,
  isAtWork,
  isCancelled,
}: Pick<DeployedRunStatus, 'execution' | 'isAtWork' | 'isCancelled'>): RunCondition {
  if (isAtWork) return isCancelled ? 'cancelling' : 'running';
  if (isCancelled) return 'cancelled';
  return execution === undefined || execution.status === 'ABORTED' ? 'stopped' : 'failed';
}
