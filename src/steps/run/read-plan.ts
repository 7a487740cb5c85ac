import { parseRunInput, type RunInput } from '../../core/run-input.ts';
import { RunPlan } from '../../core/run-plan.ts';
import type { S3Uri } from '../../core/s3-uri.ts';
import { type RunLayout, runLayout } from '../../runs/run-layout.ts';
import { readJson } from '../../store/json-object.ts';
import type { StepDeps } from '../deps.ts';
import { type ModelCall, modelCallOf } from '../plan/model-call.ts';

/** A run that Plan left, ready for another step. */
export interface PlannedRun {
  layout: RunLayout;
  plan: RunPlan;
  input: RunInput;
  call: ModelCall;
}

/** Reads a run's plan, and works out its model call again. */
export async function readPlan(runUri: S3Uri, { store }: StepDeps): Promise<PlannedRun> {
  const layout = runLayout(runUri);
  const plan = await readJson(store, layout.plan, RunPlan);
  const input = parseRunInput(plan.input);
  // The plan's own text, so that a prompt changed since then does not change half a run.
  const call = modelCallOf(
    plan.prompt_template === null ? input : { ...omitPromptId(input), prompt_template: plan.prompt_template },
  );
  return { layout, plan, input, call };
}

function omitPromptId({ prompt_id: _, ...input }: RunInput): RunInput {
  return input;
}
