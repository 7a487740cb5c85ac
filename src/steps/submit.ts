import { z } from 'zod';
import type { CreateJobResult } from '../bedrock/bedrock.ts';
import { ServiceUnavailableError } from '../core/errors.ts';
import { clientRequestTokenOf, type JobIdentity, jobNameOf, jobTagsOf } from '../core/job.ts';
import { JobRecord } from '../core/job-record.ts';
import type { WavePart } from '../core/part.ts';
import { readJsonIfPresent, writeJson } from '../store/json-object.ts';
import { findJobIfCancelled } from './cancellation.ts';
import type { StepDeps } from './deps.ts';
import { readPlan } from './read-plan.ts';

/** What the state machine needs of a job to wait for it. */
export const SubmittedJob = z.object({
  /** Null where there is no job to wait for, because Bedrock refused to create it. */
  job_arn: z.string().nullable(),
  poll_seconds: z.int().min(1),
});
export type SubmittedJob = z.infer<typeof SubmittedJob>;

/** Start of job names unless the run input gives one. */
const DEFAULT_JOB_NAME_PREFIX = 'quarry';

/**
 * Creates the part's model invocation job, once: name and token are derived from the part, so that a repeated
 * call finds the job it made before, even where the answer to that call was lost.
 */
export async function submit(part: WavePart, deps: StepDeps): Promise<SubmittedJob> {
  const { store, bedrock, clock, settings } = deps;
  const { layout, plan, input } = await readPlan(part.run_uri, deps);
  const poll_seconds = settings.pollSeconds;
  const known = await readJsonIfPresent(store, layout.job(part.part_id), JobRecord);
  if (known !== undefined) return { job_arn: known.job_arn, poll_seconds };

  const identity: JobIdentity = {
    prefix: input.job_name_prefix ?? DEFAULT_JOB_NAME_PREFIX,
    runId: plan.run_id,
    inputHash: deps.hash(`${plan.run_id}\n${plan.input_hash}`),
    partId: part.part_id,
  };
  const jobName = jobNameOf(identity);
  const lost = await findJobIfCancelled(jobName, layout, deps);
  const result: CreateJobResult =
    lost ??
    (await bedrock.createJob({
      jobName,
      clientRequestToken: clientRequestTokenOf(identity, deps.hash),
      modelId: input.model_id,
      roleArn: settings.roleArn,
      modelInvocationType: plan.model.invocation_type,
      inputUri: layout.records(part.part_id),
      outputUri: layout.modelOutput(part.part_id),
      tags: jobTagsOf(identity, part.attempt),
    }));
  const record: JobRecord = {
    part_id: part.part_id,
    job_name: jobName,
    job_arn: null,
    refusal: null,
    submitted_at: new Date(clock.now()).toISOString(),
  };
  switch (result.kind) {
    case 'created':
      record.job_arn = result.jobArn;
      break;
    case 'name_in_use': {
      const job = await bedrock.findJobByName(jobName);
      if (job === undefined) {
        throw new ServiceUnavailableError(
          `The job name ${jobName} is in use, but Bedrock does not list that job yet.`,
        );
      }
      record.job_arn = job.jobArn;
      break;
    }
    case 'refused':
      record.refusal = result.message;
      break;
  }
  await writeJson(store, layout.job(part.part_id), record);
  return { job_arn: record.job_arn, poll_seconds };
}
