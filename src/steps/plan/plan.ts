import { isDeepStrictEqual } from 'node:util';
import { RunConflictError } from '../../core/errors.ts';
import { jobsAtOnce } from '../../core/jobs/quotas.ts';
import { isSideBySide, RunPlan } from '../../core/plan/run-plan.ts';
import { parseS3Uri } from '../../core/s3-uri.ts';
import { factsOf } from '../../store/file-facts.ts';
import { readJson, writeJson, writeJsonIfAbsent } from '../../store/json-object.ts';
import { pinLaid } from '../answers/lay-answers.ts';
import type { StepDeps } from '../deps.ts';
import { reopen } from '../run/reopen.ts';
import type { RunState } from '../run/run-state.ts';
import { draftPlan, type PlanDraft } from './draft-plan.ts';
import { withoutLimits } from './run-identity.ts';
import { restoreItems, writeSlices } from './stored-slices.ts';

/**
 * Plans the run, and writes the plan and the slices; a run that is planned keeps its plan, but for its limits.
 * Nothing is spent.
 */
export async function plan(document: unknown, deps: StepDeps): Promise<RunState> {
  const draft = await draftPlan(document, deps);
  const { layout, slices, duplicatesPath, skippedPath, isKnown, limits } = draft;
  const drafted: RunPlan = {
    ...draft.plan,
    ...(duplicatesPath === undefined ? {} : { duplicates_file: await factsOf(duplicatesPath) }),
    ...(await pinReuse(draft, deps)),
  };
  const { bucket, key } = parseS3Uri(layout.slices);
  if (isKnown) {
    refuseLatePilot(draft);
    await restoreItems(slices, layout, deps);
    await writeJsonIfAbsent(deps.store, layout.plan, drafted);
    await setLimits(draft, deps);
    await reopen(layout, limits, deps);
  } else {
    if (duplicatesPath !== undefined) await deps.store.putFile(duplicatesPath, layout.duplicates);
    if (skippedPath !== undefined) await deps.store.putFile(skippedPath, layout.skipped);
    await writeSlices(slices, layout, deps);
    await writeJsonIfAbsent(deps.store, layout.planCopy, drafted);
    // Written last: a plan that is there is whole. Once there it stays, since the run's jobs are named after it.
    await writeJsonIfAbsent(deps.store, layout.plan, await readJson(deps.store, layout.planCopy, RunPlan));
  }
  return {
    run_id: drafted.run_id,
    run_uri: layout.runUri,
    bucket,
    slices_key: key,
    map_results_prefix: parseS3Uri(layout.mapResults).key,
    prepare_concurrency: deps.settings.prepareConcurrency,
    max_concurrent_jobs: jobsAtOnce(slotsOf(drafted, deps), limits.max_concurrent_jobs),
    wave: 0,
  };
}

/** The plan's word of the answers of former runs, once they lie where the run's steps find them. */
async function pinReuse(
  { plan: draft, reuse, layout }: PlanDraft,
  deps: StepDeps,
): Promise<Partial<RunPlan>> {
  if (reuse === undefined || draft.reuse === undefined) return {};
  const file = await pinLaid(reuse, { layout, inputHash: draft.input_hash }, deps);
  return { reuse: { ...draft.reuse, ...(file === undefined ? {} : { file }) } };
}

/** Throws RunConflictError where a pilot is wanted of a run that was planned without one of so few rows. */
function refuseLatePilot({ plan: known, slices, limits: { pilot_rows: wanted } }: PlanDraft): void {
  const first = slices[0]?.parts[0];
  if (wanted === undefined || first === undefined || (first.records ?? first.rows) <= wanted) return;
  throw new RunConflictError(
    `Run "${known.run_id}" was planned without a pilot of ${wanted} rows: its first part has ${first.rows}. Start it without pilot_rows, or give another run_id.`,
  );
}

/** The account's own quota, where it told one; else that of the settings, which may have changed since the plan. */
function slotsOf(plan: RunPlan, { settings }: Pick<StepDeps, 'settings'>): number {
  const { quotas } = plan;
  // Of several models, which have a quota each, the plan has the sum.
  if (isSideBySide(plan)) return plan.max_concurrent_jobs;
  return quotas?.jobs_at_once.source === 'account'
    ? quotas.jobs_at_once.value
    : settings.quotas.maxConcurrentJobs;
}

/** Writes the limits that hold from now on into the run's plan, where they are others than before. */
async function setLimits({ layout, plan: known, limits }: PlanDraft, deps: StepDeps): Promise<void> {
  const input = { ...withoutLimits(known.input), ...limits };
  if (isDeepStrictEqual(known.input, input)) return;
  await writeJson(deps.store, layout.plan, { ...known, input });
}
