import { type Hash, type JobIdentity, jobNameOf } from '../../core/job.ts';
import type { WavePart } from '../../core/part.ts';
import type { RunPlan } from '../../core/run-plan.ts';
import type { StepDeps } from '../deps.ts';
import type { PlannedRun } from '../run/read-plan.ts';

/** Start of job names unless the run input gives one. */
const DEFAULT_JOB_NAME_PREFIX = 'quarry';

/** Who the job of a part is: always the same for the same part. */
export function jobIdentityOf(part: WavePart, { plan, input }: PlannedRun, { hash }: StepDeps): JobIdentity {
  return {
    prefix: input.job_name_prefix ?? DEFAULT_JOB_NAME_PREFIX,
    runId: plan.run_id,
    inputHash: jobHashOf(plan, hash),
    partId: part.part_id,
  };
}

/** What the jobs of a run, and of no other, are named after. */
export function jobHashOf(
  { run_id, input_hash }: Pick<RunPlan, 'run_id' | 'input_hash'>,
  hash: Hash,
): string {
  return hash(`${run_id}\n${input_hash}`);
}

/** The ARN of the part's job, found by its name; undefined where there is no such job. */
export async function findJobOf(
  part: WavePart,
  run: PlannedRun,
  deps: StepDeps,
): Promise<string | undefined> {
  const job = await deps.bedrock.findJobByName(jobNameOf(jobIdentityOf(part, run, deps)));
  return job?.jobArn;
}
