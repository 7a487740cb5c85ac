import { RunSummary } from '../../core/run/summary.ts';
import { parseRunInput, variantsOf } from '../../core/run-input/run-input.ts';
import { runLayout, runUriOf } from '../../runs/run-layout.ts';
import { readJsonIfPresent } from '../../store/json-object.ts';
import type { PlanDeps } from '../deps.ts';
import { isMended } from '../run/reopen.ts';
import { identifyDataset } from './dataset-files.ts';
import { modelCallOf } from './model-call.ts';
import { inputHashOf, promptsOfRun, runIdOf } from './run-identity.ts';

/** True where the run of this input has ended and sends nothing more. Nothing is written, downloaded or claimed. */
export async function hasEnded(document: unknown, deps: PlanDeps): Promise<boolean> {
  const { run_id: given, ...input } = parseRunInput(document);
  const { bucket, modelServer } = deps.settings;
  const hashed = async () => {
    const calls = variantsOf(input).map((variant) => ({
      ...variant,
      call: modelCallOf(variant.input, deps.settings),
    }));
    const source = await identifyDataset(input, deps);
    return runIdOf(input, inputHashOf(input, promptsOfRun(calls), { source, hash: deps.hash, modelServer }));
  };
  const layout = runLayout(runUriOf(bucket, given ?? (await hashed())));
  const summary = await readJsonIfPresent(deps.store, layout.summary, RunSummary);
  return summary !== undefined && !isMended(summary, input);
}
