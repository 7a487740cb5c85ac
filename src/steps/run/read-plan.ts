import { RunConflictError } from '../../core/errors.ts';
import { RunPlan } from '../../core/plan/run-plan.ts';
import { parseRunInput, type RunInput } from '../../core/run-input/run-input.ts';
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
  refuseOldDedupe(plan);
  const given = withoutPlaceholders(parseRunInput(plan.input), plan);
  const { record_id_column = given.record_id_column } = plan;
  const input = { ...given, ...(record_id_column === undefined ? {} : { record_id_column }) };
  // The plan's own text, so that a prompt changed since then does not change half a run.
  const prompt =
    plan.prompt_template === null ? input : { ...omitPromptId(input), prompt_template: plan.prompt_template };
  // The plan was let pass, whatever the catalogue says by now.
  const call = modelCallOf({ ...prompt, base_model_id: plan.model.base_model_id, force: true });
  return { layout, plan, input, call };
}

/** A run whose files tell duplicates in a way that is read no more must not go on: its rows would be miscounted. */
function refuseOldDedupe({ format_version, duplicates, run_id, quarry_version }: RunPlan): void {
  if (format_version > 1 || duplicates === 0) return;
  throw new RunConflictError(
    `Run "${run_id}" was planned by Quarry ${quarry_version} with dedupe, and this version cannot go on with it. Finish it with that version, or start it under another run_id.`,
  );
}

function omitPromptId({ prompt_id: _, ...input }: RunInput): RunInput {
  return input;
}

/** The input with its braces doubled, of a run that was planned when the system prompt had no placeholders. */
function withoutPlaceholders(input: RunInput, { system_placeholders }: RunPlan): RunInput {
  if (input.system_prompt === undefined || system_placeholders === true) return input;
  return { ...input, system_prompt: input.system_prompt.replaceAll(/[{}]/g, (brace) => brace + brace) };
}
