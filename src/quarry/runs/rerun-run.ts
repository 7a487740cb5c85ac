import { InvalidRunInputError } from '../../core/errors.ts';
import { isSideBySide, type RunPlan } from '../../core/plan/run-plan.ts';
import { findRun } from '../../runs/run-store.ts';
import type { RunFiles } from '../../targets/run-files.ts';
import type { RunRequest } from './run-request.ts';

/** Which rows of a run are sent again, and what is other for them than it was. */
export interface RerunRequest
  extends Omit<RunRequest, 'dataset' | 's3_uri' | 'dataset_id' | 'rerun_of' | 'rerun_rows'> {
  /** Rows without an answer always are; `truncated` and `refused` answers where they are named. */
  rows: readonly RerunRows[];
}

export type RerunRows = 'failed' | 'truncated' | 'refused';

const ROWS: readonly string[] = ['failed', 'truncated', 'refused'] satisfies RerunRows[];
/** Keys of a run input that say the prompt: where one of them changes, the others of the former run hold no more. */
const PROMPT_KEYS = [
  ...['prompt', 'prompt_id', 'prompt_template', 'prompt_file'],
  ...['prompt_id_column', 'prompt_templates'],
];
const MODEL_KEYS = ['model', 'model_id'];

/** The request of a new run over the dataset of one that has ended, which takes that run's good answers. */
export async function rerunRequest(
  runId: string,
  { rows, ...changes }: RerunRequest,
  files: RunFiles,
): Promise<RunRequest> {
  if (!Array.isArray(rows) || rows.length === 0 || rows.some((name) => !ROWS.includes(name))) {
    throw new InvalidRunInputError(
      'Which rows are to be sent again? Name some of failed, truncated and refused; rows without an answer always are.',
    );
  }
  const { plan, summary } = await findRun(files, runId);
  if (summary === undefined) {
    throw new InvalidRunInputError(
      `Run "${runId}" has not ended yet, and which of its rows have an answer is known when it has. Go on with it: quarry resume ${runId}`,
    );
  }
  if (isSideBySide(plan)) {
    throw new InvalidRunInputError(
      `Run "${runId}" has variants, and a rerun is of a run without. Run one of them alone with variant, which takes the answers that it has and sends the others.`,
    );
  }
  return { ...formerInput(plan, changes), ...changed(plan, changes), rerun_of: runId, rerun_rows: [...rows] };
}

/** What the former run was given, as far as nothing takes its place. */
function formerInput({ input, hub }: RunPlan, changes: object): Record<string, unknown> {
  const names = (keys: readonly string[]) => keys.some((key) => Object.hasOwn(changes, key));
  // Whose answers it took is no matter of this one.
  const dropped = new Set(['run_id', 'reuse', 'rerun_of', 'rerun_rows']);
  if (names(PROMPT_KEYS)) for (const key of PROMPT_KEYS) dropped.add(key);
  if (names(MODEL_KEYS)) for (const key of [...MODEL_KEYS, 'base_model_id']) dropped.add(key);
  const kept = Object.entries(input).filter(([key]) => !dropped.has(key));
  // The commit that the revision stood for then.
  return { ...Object.fromEntries(kept), ...(hub === null ? {} : { revision: hub.commit }) };
}

/** The changes; single inference parameters take the place of those of the former run. */
function changed({ input }: RunPlan, changes: Omit<RerunRequest, 'rows'>): Omit<RerunRequest, 'rows'> {
  const { inference_parameters: given } = changes;
  if (given === undefined) return changes;
  const former = (input.inference_parameters ?? {}) as Record<string, unknown>;
  return { ...changes, inference_parameters: { ...former, ...given } };
}
