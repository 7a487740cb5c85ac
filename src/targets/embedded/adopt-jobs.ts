import { DamagedFileError } from '../../core/errors.ts';
import { jobNameMarkOf } from '../../core/jobs/job.ts';
import { JobRecord } from '../../core/jobs/job-record.ts';
import { RunPlan } from '../../core/plan/run-plan.ts';
import { runLayout, runUriOf } from '../../runs/run-layout.ts';
import { lockRun } from '../../runs/run-lock.ts';
import { isJobOf, jobHashOf } from '../../steps/part/part-job.ts';
import { readJsonIfPresent, writeJson } from '../../store/json-object.ts';
import { sha256 } from '../local/local-target.ts';
import { findJobs, type JobPlaces, type QuarryJob } from './find-jobs.ts';

/** What came of an orphan: its run has it again, or why not. */
export interface Adoption {
  job: QuarryJob;
  /** Undefined where it was adopted. */
  refusal: string | undefined;
}

/** Gives every orphan, or those of one run, back to its run, so that resuming the run collects it. */
export async function adoptJobs(places: JobPlaces, runId?: string): Promise<Adoption[]> {
  const orphans = (await findJobs(places)).filter(
    (job) => (job.orphan || job.fault !== undefined) && (runId === undefined || job.runId === runId),
  );
  const adoptions: Adoption[] = [];
  for (const [id, jobs] of Map.groupBy(orphans, (job) => job.runId)) {
    const layout = runLayout(runUriOf(places.bucket, id));
    await using _lock = await lockRun({ runId: id, layout }, places.store);
    for (const job of jobs) adoptions.push({ job, refusal: await adopt(job, places) });
  }
  return adoptions;
}

async function adopt(job: QuarryJob, { store, bucket }: JobPlaces): Promise<string | undefined> {
  if (job.fault !== undefined) return `as its record cannot be read: ${job.fault}`;
  const layout = runLayout(runUriOf(bucket, job.runId));
  let plan: RunPlan | undefined;
  try {
    plan = await readJsonIfPresent(store, layout.plan, RunPlan);
  } catch (error) {
    if (!(error instanceof DamagedFileError)) throw error;
    return `as its run cannot be read: ${error.message}`;
  }
  if (plan === undefined) return 'its run is not in this store any more';
  if (!isJobOf(job, { layout, partId: job.partId })) return 'it reads or writes other files than its run’s';
  if (!job.jobName.includes(jobNameMarkOf(jobHashOf(plan, layout.runUri, sha256)))) {
    return 'it was created for an earlier run of this id, whose files were deleted';
  }
  if ((await store.head(layout.rows(job.partId))) === undefined) return 'its run has no such part';
  if ((await store.head(layout.ledger(job.partId))) !== undefined) {
    return 'its part has been collected without it';
  }
  const record: JobRecord = {
    part_id: job.partId,
    job_name: job.jobName,
    job_arn: job.jobArn,
    refusal: null,
    submitted_at: job.submittedAt,
  };
  const known = await readJsonIfPresent(store, layout.job(job.partId), JobRecord);
  // A record without either says only that a job was about to be created.
  if (known !== undefined && (known.job_arn !== null || known.refusal !== null)) {
    return 'its part has another job already';
  }
  await writeJson(store, layout.job(job.partId), record);
  return undefined;
}
