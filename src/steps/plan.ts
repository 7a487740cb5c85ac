import { parseS3Uri } from '../core/s3-uri.ts';
import { writeJson } from '../store/json-object.ts';
import type { StepDeps } from './deps.ts';
import { draftPlan } from './draft-plan.ts';
import { reopen } from './reopen.ts';
import type { RunState } from './run-state.ts';

/** Plans the run, and writes the plan and the slices; a run that is planned keeps its plan. Nothing is spent. */
export async function plan(document: unknown, deps: StepDeps): Promise<RunState> {
  const { layout, plan: drafted, slices, duplicatesPath, isKnown } = await draftPlan(document, deps);
  const { bucket, key } = parseS3Uri(layout.slices);
  if (isKnown) {
    await reopen(layout, deps);
  } else {
    if (duplicatesPath !== undefined) await deps.store.putFile(duplicatesPath, layout.duplicates);
    await writeJson(deps.store, layout.slices, slices);
    // Written last: a plan that is there is whole.
    await writeJson(deps.store, layout.plan, drafted);
  }
  return {
    run_id: drafted.run_id,
    run_uri: layout.runUri,
    bucket,
    slices_key: key,
    map_results_prefix: parseS3Uri(layout.mapResults).key,
    prepare_concurrency: deps.settings.prepareConcurrency,
    max_concurrent_jobs: deps.settings.quotas.maxConcurrentJobs,
    wave: 0,
  };
}
