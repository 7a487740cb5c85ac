import { type BedrockClient, GetModelInvocationJobCommand } from '@aws-sdk/client-bedrock';
import pLimit from 'p-limit';
import { toQuarryError } from '../../bedrock/bedrock-errors.ts';
import { CredentialsError, NotSupportedError, QuarryError } from '../../core/errors.ts';
import { type JobStatus, toJobStatus } from '../../core/jobs/job.ts';
import { PartTurn } from '../../core/plan/part.ts';
import type { RunEvent } from '../../core/run/run-event.ts';
import { type Waiting, waitingOf } from '../../core/run/waiting.ts';
import type { S3Uri } from '../../core/s3-uri.ts';
import type { TaskCall } from '../../engine/definition/prepared-state.ts';
import { type RunLayout, runLayout } from '../../runs/run-layout.ts';
import { leaveStepWaiting, type StepWaiting, stepWaitingText } from '../../runs/step-waiting.ts';
import type { StepDeps } from '../../steps/deps.ts';
import type { SubmittedJob } from '../../steps/part/submit.ts';
import { runStep } from '../../steps/run-step.ts';
import { functionPlaceholder, STEP_NAMES, type StepName } from '../../workflow/definition.ts';

/** Steps that work on rows. Each uses the machine's memory and cores as if it were alone, so it is. */
const HEAVY_STEPS: ReadonlySet<StepName> = new Set([
  'plan',
  'prepare',
  'repack',
  'collect',
  'merge',
  'summarize',
]);

/** What carries out the Tasks of the state machine on this machine. */
export interface TaskRunnerOptions {
  deps: StepDeps;
  control: BedrockClient;
  onStepDone: (step: StepName, output: unknown) => Promise<void>;
  /** Called with the status of a job each time that it is looked at. */
  onJobSeen: (jobArn: string, status: JobStatus) => Promise<void>;
  onProgress: (progress: RunEvent) => void;
}

/** Carries out a Task as Step Functions would: functions by their placeholder, and the Bedrock API by its name. */
export function createTaskRunner({ deps, control, onStepDone, onJobSeen, onProgress }: TaskRunnerOptions) {
  const oneByOne = pLimit(1);
  const retries = sayRetries({ ...deps, onProgress });
  const steps = new Map<unknown, StepName>(STEP_NAMES.map((name) => [functionPlaceholder(name), name]));
  /** By ARN: whose job it is. Submit is passed on every way to a job, also where it finds one that is there. */
  const partOfJob = new Map<string, string>();
  /** By ARN: why it could not be looked at the last time. */
  const looksInVain = new Map<string, Waiting>();
  return async ({ resource, parameters, signal }: TaskCall): Promise<unknown> => {
    const given = parameters as Record<string, unknown>;
    switch (resource) {
      case 'arn:aws:states:::lambda:invoke': {
        const name = steps.get(given.FunctionName);
        if (name === undefined)
          throw new NotSupportedError(`There is no function ${String(given.FunctionName)}.`);
        const work = () =>
          retries.saying({ name, payload: given.Payload }, () => runStep(name, given.Payload, deps));
        const output = await (HEAVY_STEPS.has(name) ? oneByOne(work) : work());
        if (name === 'submit') {
          const { job_arn } = output as SubmittedJob;
          if (job_arn !== null) partOfJob.set(job_arn, PartTurn.parse(given.Payload).part_id);
        }
        await onStepDone(name, output);
        return { StatusCode: 200, Payload: output };
      }
      case 'arn:aws:states:::aws-sdk:bedrock:getModelInvocationJob': {
        const jobIdentifier = String(given.JobIdentifier);
        const partId = partOfJob.get(jobIdentifier) ?? '';
        const job = await callBedrock(
          () =>
            control.send(new GetModelInvocationJobCommand({ jobIdentifier }), {
              abortSignal: signal,
            }),
          (fault) => {
            const nowMs = deps.clock.now();
            const waiting = waitingOf(fault, { before: looksInVain.get(jobIdentifier), nowMs });
            if (waiting === undefined) return;
            looksInVain.set(jobIdentifier, waiting);
            onProgress({ kind: 'waiting', partId, ...waiting });
          },
        );
        looksInVain.delete(jobIdentifier);
        const { jobArn = '', submitTime, totalRecordCount, processedRecordCount } = job;
        const status = toJobStatus(job.status);
        onProgress({
          kind: 'job',
          partId,
          jobArn,
          status,
          submittedAt: submitTime?.toISOString() ?? null,
          totalRecords: totalRecordCount ?? null,
          processedRecords: processedRecordCount ?? null,
        });
        await onJobSeen(jobArn, status);
        return toPascalCase(job);
      }
      default:
        throw new NotSupportedError(`There is no resource ${resource} on this machine.`);
    }
  };
}

/** Steps that say themselves, of which part, why they have to wait. */
const SAY_SO: ReadonlySet<StepName> = new Set(['submit', 'collect', 'runOnDemand']);

/** Says of the other steps why they are tried again, and since when: once for each reason, until they have succeeded. */
function sayRetries({
  clock,
  store,
  onProgress,
}: Pick<StepDeps, 'clock' | 'store'> & Pick<TaskRunnerOptions, 'onProgress'>) {
  const told = new Map<StepName, StepWaiting>();
  return {
    saying: async <T>(
      { name, payload }: { name: StepName; payload: unknown },
      work: () => Promise<T>,
    ): Promise<T> => {
      const layout = layoutIn(payload);
      try {
        const output = await work();
        // Whoever looks later must not take it for what is so now; where it stays it is old soon.
        if (told.delete(name) && layout !== undefined)
          await store.delete(layout.stepWaiting(name)).catch(() => {});
        return output;
      } catch (error) {
        if (!(error instanceof QuarryError) || !error.retryable || SAY_SO.has(name)) throw error;
        const before = told.get(name);
        const isSame = before?.error === error.name;
        const now = new Date(clock.now()).toISOString();
        const since = isSame ? before.since : now;
        const waiting = { step: name, error: error.name, message: error.message, since, tried_at: now };
        told.set(name, waiting);
        if (!isSame) onProgress({ kind: 'notice', message: stepWaitingText(waiting) });
        if (layout !== undefined) await leaveStepWaiting(waiting, layout, store);
        throw error;
      }
    },
  };
}

/** Which run a step is of, by what it is handed: its own, or its part's; undefined before it is planned. */
function layoutIn(payload: unknown): RunLayout | undefined {
  const { run_uri, part } = Object(payload) as { run_uri?: unknown; part?: { run_uri?: unknown } };
  const uri = run_uri ?? part?.run_uri;
  return typeof uri === 'string' ? runLayout(uri as S3Uri) : undefined;
}

/** Step Functions names the errors of an SDK call `Bedrock.<error>`. */
async function callBedrock<T>(call: () => Promise<T>, onFault: (fault: unknown) => void): Promise<T> {
  try {
    return await call();
  } catch (error) {
    const fault = toQuarryError(error, 'look at a job');
    if (fault instanceof CredentialsError) throw fault;
    onFault(fault);
    const { name, message } = error as Error;
    throw Object.assign(new Error(message, { cause: error }), { name: `Bedrock.${name}` });
  }
}

/** An SDK answer as Step Functions passes it on: keys in PascalCase, dates as text. */
function toPascalCase(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(toPascalCase);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, inner]) => key !== '$metadata' && inner !== undefined)
      .map(([key, inner]) => [key.charAt(0).toUpperCase() + key.slice(1), toPascalCase(inner)]),
  );
}
