import type { JobControl } from '../bedrock/job-control.ts';
import { jobNameMarkOf, outcomeOf } from '../core/jobs/job.ts';
import type { RunPlan } from '../core/plan/run-plan.ts';
import { parseModelId } from '../models/catalog/model-id.ts';
import { type RunLayout, runLayout, runUriOf } from '../runs/run-layout.ts';
import { isJobOf, type JobNaming, jobHashOf } from '../steps/part/part-job.ts';
import { sha256 } from './local/local-target.ts';

/** Milliseconds by which the clocks of a function and of Bedrock may differ. */
const CLOCK_SKEW_MS = 10 * 60_000;

/** The jobs of a run, the newest first: those too whose record was lost. */
export async function* jobsOfRun(plan: JobNaming, { jobs, bucket }: { jobs: JobControl; bucket: string }) {
  const layout = layoutOf(bucket, plan.run_id);
  const mark = jobNameMarkOf(jobHashOf(plan, layout.runUri, sha256));
  const submittedAfter = new Date(Date.parse(plan.created_at) - CLOCK_SKEW_MS);
  for await (const job of jobs.listJobs({ submittedAfter, nameContains: mark })) {
    const partId = job.jobName.slice(job.jobName.indexOf(mark) + mark.length);
    if (isJobOf(job, { layout, partId })) yield { ...job, partId };
  }
}

/** Milliseconds after which every job has ended: a week, as Bedrock lets one run at most, and a day. */
const LONGEST_JOB_MS = 8 * 24 * 3_600_000;

/** How many jobs of the run's models, and of no part of it, are under way in the account: they hold slots that it would have. */
export async function countOtherJobs(
  plan: JobNaming & Pick<RunPlan, 'variants'>,
  { jobs, bucket, nowMs }: { jobs: JobControl; bucket: string; nowMs: number },
): Promise<number> {
  const { runUri } = layoutOf(bucket, plan.run_id);
  const own = jobNameMarkOf(jobHashOf(plan, runUri, sha256));
  const models = new Set(plan.variants.map(({ model }) => baseOf(model.base_model_id ?? model.model_id)));
  let others = 0;
  for await (const job of jobs.listJobs({ submittedAfter: new Date(nowMs - LONGEST_JOB_MS) })) {
    const isUnderWay = outcomeOf(job.status).kind === 'running';
    if (isUnderWay && models.has(baseOf(job.modelId)) && !job.jobName.includes(own)) others += 1;
  }
  return others;
}

/** `provider.model` of an id or ARN; itself where it is none that is known. */
function baseOf(modelId: string): string {
  try {
    return parseModelId(modelId).baseModelId ?? modelId;
  } catch {
    return modelId;
  }
}

/** The keys of a run in a bucket. */
export function layoutOf(bucket: string, runId: string): RunLayout {
  return runLayout(runUriOf(bucket, runId));
}
