import { LedgerMismatchError, RunConflictError } from '../../core/errors.ts';
import { RunPlan, type Variant } from '../../core/plan/run-plan.ts';
import { parseRunInput, type RunInput, variantsOf } from '../../core/run-input/run-input.ts';
import type { S3Uri } from '../../core/s3-uri.ts';
import { type RunLayout, runLayout } from '../../runs/run-layout.ts';
import { readJson } from '../../store/json-object.ts';
import type { StepDeps } from '../deps.ts';
import { type ModelCall, modelCallOf } from '../plan/model-call.ts';

/** A run that Plan left, ready for another step. */
export interface PlannedRun {
  layout: RunLayout;
  plan: RunPlan;
  /** The run input, with what the dataset's columns decided. */
  input: RunInput;
  /** In the order of the plan. */
  variants: readonly PlannedVariant[];
}

/** One of a plan's variants, ready to be asked. */
export interface PlannedVariant {
  /** Undefined where it is the only one. */
  name: string | undefined;
  model: Variant['model'];
  /** The run input, as if it were of this variant alone. */
  input: RunInput;
  call: ModelCall;
}

/** Reads a run's plan, and works out its model calls again. */
export async function readPlan(runUri: S3Uri, { store }: StepDeps): Promise<PlannedRun> {
  const layout = runLayout(runUri);
  return plannedRunOf(await readJson(store, layout.plan, RunPlan), layout);
}

/** The run of a plan; RunConflictError where this version cannot go on with it. */
export function plannedRunOf(plan: RunPlan, layout: RunLayout): PlannedRun {
  refuseOldDedupe(plan);
  const { record_id_column, ...given } = parseRunInput(plan.input);
  const idColumn = plan.record_id_column ?? record_id_column;
  const input = { ...given, ...(idColumn === undefined ? {} : { record_id_column: idColumn }) };
  const inputs = variantsOf(input);
  return {
    layout,
    plan,
    input,
    variants: plan.variants.map((variant, index) => toPlanned(variant, inputs[index]?.input ?? input)),
  };
}

/** The variant that a part is of. */
export function variantOf(
  { plan, variants }: PlannedRun,
  part: { part_id: string; variant: number },
): PlannedVariant {
  const found = variants[part.variant];
  if (found !== undefined) return found;
  throw new LedgerMismatchError(
    `Part ${part.part_id} is of variant ${part.variant}, which the plan of run "${plan.run_id}" does not have.`,
  );
}

function toPlanned(variant: Variant, given: RunInput): PlannedVariant {
  const { model, prompt_template, prompt_templates, parameters } = variant;
  const input: RunInput = {
    ...withoutPlaceholders(given, variant),
    model_id: model.model_id,
    inference_parameters: parameters,
  };
  // The plan's own text, so that a prompt changed since then does not change half a run.
  const asked = {
    ...(prompt_template === null ? input : { ...omitPromptId(input), prompt_template }),
    ...(prompt_templates === undefined ? {} : { prompt_templates }),
  };
  // The plan was let pass, whatever the catalogue says by now.
  const call = modelCallOf(
    { ...asked, base_model_id: model.base_model_id, force: true },
    {
      kept: {
        invocationType: model.invocation_type,
        thinking: variant.thinking,
        schemaForm: variant.schema_form ?? 'prompt',
      },
    },
  );
  return { name: variant.name, model, input, call };
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
function withoutPlaceholders(input: RunInput, { system_placeholders }: Variant): RunInput {
  if (input.system_prompt === undefined || system_placeholders === true) return input;
  return { ...input, system_prompt: input.system_prompt.replaceAll(/[{}]/g, (brace) => brace + brace) };
}
