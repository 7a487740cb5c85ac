import type { JobControl } from '../bedrock/job-control.ts';
import { jobNameMarkOf } from '../core/jobs/job.ts';
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

/** The keys of a run in a bucket. */
export function layoutOf(bucket: string, runId: string): RunLayout {
  return runLayout(runUriOf(bucket, runId));
}
