import type { JobDescription } from '../../bedrock/bedrock.ts';
import { type Hash, type JobIdentity, jobNameOf } from '../../core/jobs/job.ts';
import type { PartTurn } from '../../core/plan/part.ts';
import type { RunPlan } from '../../core/plan/run-plan.ts';
import type { S3Uri } from '../../core/s3-uri.ts';
import type { RunLayout } from '../../runs/run-layout.ts';
import type { StepDeps } from '../deps.ts';
import type { PlannedRun } from '../run/read-plan.ts';

/** Start of job names unless the run input gives one. */
const DEFAULT_JOB_NAME_PREFIX = 'quarry';

/** Who the job of a part is: always the same for the same part. */
export function jobIdentityOf(
  part: PartTurn,
  { plan, input, layout }: PlannedRun,
  { hash }: Pick<StepDeps, 'hash'>,
): JobIdentity {
  return {
    prefix: input.job_name_prefix ?? DEFAULT_JOB_NAME_PREFIX,
    runId: plan.run_id,
    runHash: jobHashOf(plan, layout.runUri, hash),
    partId: part.part_id,
  };
}

/** What a run's jobs are named after. */
export type JobNaming = Pick<RunPlan, 'run_id' | 'input_hash' | 'created_at' | 'job_naming'>;

/**
 * What the jobs of a run, and of no other, are named after: the place where it lives, since another bucket's run of the
 * same input is another run, and the moment of its plan, since a run whose files were deleted is over.
 */
export function jobHashOf(plan: JobNaming, runUri: S3Uri, hash: Hash): string {
  return plan.job_naming === undefined
    ? hash(`${plan.run_id}\n${plan.input_hash}`)
    : hash(JSON.stringify([runUri, plan.input_hash, plan.created_at]));
}

/** True where a job reads and writes this part's own files: any other is somebody else's, whatever its name. */
export function isJobOf(
  { inputUri, outputUri }: Pick<JobDescription, 'inputUri' | 'outputUri'>,
  { layout, partId }: { layout: RunLayout; partId: string },
): boolean {
  return inputUri === layout.records(partId) && outputUri.replace(/\/+$/, '') === layout.modelOutput(partId);
}

/** The part's job by its name: its ARN where it is the part's own, or who has the name; undefined where nobody has. */
export type FoundJob = { kind: 'own'; jobArn: string } | { kind: 'foreign'; job: JobDescription };

/** The job that has the name of the part's job; undefined where there is none. */
export async function findJobOf(
  part: PartTurn,
  run: PlannedRun,
  { bedrock, hash }: Pick<StepDeps, 'bedrock' | 'hash'>,
): Promise<FoundJob | undefined> {
  const job = await bedrock.findJobByName(jobNameOf(jobIdentityOf(part, run, { hash })));
  if (job === undefined) return undefined;
  return isJobOf(job, { layout: run.layout, partId: part.part_id })
    ? { kind: 'own', jobArn: job.jobArn }
    : { kind: 'foreign', job };
}

/** The ARN of the part's own job, found by its name; undefined where there is none. */
export async function findOwnJobOf(
  part: PartTurn,
  run: PlannedRun,
  deps: Pick<StepDeps, 'bedrock' | 'hash'>,
): Promise<string | undefined> {
  const found = await findJobOf(part, run, deps);
  return found?.kind === 'own' ? found.jobArn : undefined;
}

/** What to say of a job that has this part's name and belongs to another run. */
export function foreignJobMessage({ jobArn, jobName, outputUri }: JobDescription): string {
  return `The job ${jobName} (${jobArn}) belongs to another run: it writes to ${outputUri}. It was left alone. Start this run under another run_id.`;
}
