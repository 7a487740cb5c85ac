import { rm } from 'node:fs/promises';
import { systemClock } from '../../core/clock.ts';
import { jobsAtOnce } from '../../core/jobs/quotas.ts';
import { isSideBySide, type RunPlan } from '../../core/plan/run-plan.ts';
import { DEFAULT_RECORDS_PER_HOUR } from '../../core/plan/schedule.ts';
import { explainRow } from '../../steps/answers/explain-row.ts';
import { draftPlan } from '../../steps/plan/draft-plan.ts';
import { withFilesInPlace } from '../../store/files-in-place.ts';
import { openJobLook } from '../../targets/job-look.ts';
import type { RunFiles } from '../../targets/run-files.ts';
import { isOfThisMachine } from '../place-dataset.ts';
import { findEarlierRun } from './earlier-run.ts';
import { type PlanReport, reportPlan } from './plan-report.ts';
import type { FollowOptions } from './run.ts';
import { inOwnWords, placeRequest, type RunRequest } from './run-request.ts';
import type { RunWorkOptions } from './run-work.ts';

/** How a run is planned that is not made. */
export interface PlanOptions extends FollowOptions {
  /** Jobs that run at once. @default the quota */
  jobsInFlight?: number | undefined;
  /** Records that one job does in an hour. */
  recordsPerHour?: number | undefined;
  /** With `reuse`: record id of a row of which it is to be said why it is reused, or why not. */
  explain?: string | undefined;
}

/** What a run would be. Nothing is sent but the dataset, where it is this machine's and the bucket is not. */
export async function draftRun(
  request: RunRequest,
  {
    jobsInFlight,
    recordsPerHour = DEFAULT_RECORDS_PER_HOUR,
    explain,
    ...options
  }: RunWorkOptions & PlanOptions,
): Promise<PlanReport> {
  const { files, tell, signal } = options;
  await files.requireReachable();
  const { input, names, notes, inPlace } = await placeRequest(request, { ...options, isDraft: true });
  const store = inPlace.size === 0 ? files.store : withFilesInPlace(files.store, inPlace);
  const planDeps = await files.planDeps();
  const draft = await inOwnWords({ names }, () =>
    draftPlan(input, { ...planDeps, store, onProgress: tell, signal, notes, isDraft: true }),
  );
  if (draft.duplicatesPath !== undefined) await rm(draft.duplicatesPath, { force: true });
  if (draft.reuse?.laid !== undefined && !draft.reuse.isPinned)
    await rm(draft.reuse.laid.path, { force: true });
  const explanation = explain === undefined ? null : await explainRow(draft, explain, { ...planDeps, store });
  const isUploaded = files.target.kind !== 'local' && isOfThisMachine(request.dataset);
  const slots = await slotsOf(draft.plan, files);
  const most = jobsAtOnce(draft.plan.max_concurrent_jobs, draft.limits.max_concurrent_jobs);
  const free = Math.max(1, draft.plan.max_concurrent_jobs - (slots?.held_by_others ?? 0));
  const pace = { jobsInFlight: jobsInFlight ?? Math.min(most, free), recordsPerHour };
  const { bucket, simulated, billed } = planDeps.settings;
  const [variant] = draft.plan.variants;
  const query = {
    bucket,
    promptHash: variant.prompt_hash,
    modelId: variant.model.model_id,
    simulated,
    billed,
  };
  // What one of several variants took says nothing of the others.
  const earlier = isSideBySide(draft.plan) ? undefined : await findEarlierRun(query, files.store);
  return {
    uploaded_to: isUploaded ? String(input.s3_uri) : null,
    billed: files.target.kind !== 'local',
    explanation,
    slots,
    ...reportPlan(draft, { ...pace, earlier, nowMs: systemClock.now() }),
  };
}

/** The account's slots for jobs of the run's models, and how many of them other jobs hold now; null where there is no account, or it does not tell. */
async function slotsOf(plan: RunPlan, files: RunFiles): Promise<PlanReport['slots']> {
  using look = await openJobLook(files);
  const held = await look.heldByOthers(plan);
  return held === null ? null : { at_once: plan.max_concurrent_jobs, held_by_others: held };
}
