import { InvalidRunInputError } from '../core/errors.ts';
import { type PackingLimits, packRows, rowsThatFit } from '../core/packing.ts';
import type { Dataset } from '../core/part.ts';
import { recordsPerJobLimit } from '../core/quotas.ts';
import { recordIdOf } from '../core/record-id.ts';
import { parseRunInput, type RunInput } from '../core/run-input.ts';
import { RunPlan } from '../core/run-plan.ts';
import { parseS3Uri } from '../core/s3-uri.ts';
import { checkRecordIds, describeDataset, samplePromptBytes } from '../dataset/describe.ts';
import type { RecordFrame } from '../models/record-frame.ts';
import { placeholdersOf } from '../prompts/prompt-template.ts';
import { readJsonIfPresent, writeJson } from '../store/json-object.ts';
import { runLayout, runUriOf } from '../store/run-layout.ts';
import { checkBudget, estimateCost } from './cost-estimate.ts';
import { listDatasetFiles, withLocalFiles } from './dataset-files.ts';
import type { StepDeps } from './deps.ts';
import { type ModelCall, modelCallOf } from './model-call.ts';
import { outputColumnsOf } from './output-columns.ts';
import { reopen } from './reopen.ts';
import { refuseOtherInput, runIdOf } from './run-identity.ts';
import type { RunState } from './run-state.ts';
import { cutSlices } from './slices.ts';

/**
 * Validates the run input against the dataset's real columns, counts and packs the rows, and writes the plan and
 * the slices. Nothing is spent. The same input finds the plan that is there; another one under the same run_id
 * is refused.
 */
export async function plan(document: unknown, deps: StepDeps): Promise<RunState> {
  const input = parseRunInput(document);
  const { quotas } = deps.settings;
  const call = modelCallOf(input);
  const maxRecords = recordsPerJobLimit(quotas, input.max_records_per_job);
  const files = await listDatasetFiles(input, deps.store);

  const { run_id: _, ...rest } = input;
  const inputHash = deps.hash(JSON.stringify([rest, call.template, files]));
  const runId = runIdOf(input, inputHash);
  const layout = runLayout(runUriOf(deps.settings.bucket, runId));
  const { bucket, key } = parseS3Uri(layout.slices);
  const state: RunState = {
    run_id: runId,
    run_uri: layout.runUri,
    bucket,
    slices_key: key,
    map_results_prefix: parseS3Uri(layout.mapResults).key,
    prepare_concurrency: deps.settings.prepareConcurrency,
    max_concurrent_jobs: quotas.maxConcurrentJobs,
    wave: 0,
  };

  await deps.claimRun?.(runId);
  const known = await readJsonIfPresent(deps.store, layout.plan, RunPlan);
  if (known !== undefined) {
    refuseOtherInput(known, { ...rest }, inputHash, files);
    await reopen(layout, deps);
    return state;
  }

  const { dataset, promptBytes } = await withLocalFiles(files, deps.store, async (local) => {
    const described = await describeDataset(local);
    checkColumns(input, call, described);
    if (input.record_id_column !== undefined) await checkRecordIds(local, described, input.record_id_column);
    return { dataset: described, promptBytes: await samplePromptBytes(local, described, call.frame) };
  });
  const limits: PackingLimits = {
    minRecords: quotas.minRecordsPerJob,
    maxRecords,
    // The sample's mean is an estimate; a part that is larger all the same is cut by Prepare.
    maxBytes: quotas.maxInputFileBytes * BYTES_HEADROOM,
    slots: quotas.maxConcurrentJobs,
    ...(input.max_num_jobs === undefined ? {} : { maxParts: input.max_num_jobs }),
  };
  const bytesPerRow = promptBytes.meanBytes + recordBytesOf(call.frame);
  const selected = Math.min(
    dataset.rows,
    input.max_records ?? Number.POSITIVE_INFINITY,
    rowsThatFit(bytesPerRow, limits),
  );
  const parts = packRows(selected, bytesPerRow, limits);
  const slices = cutSlices(dataset, parts, deps.settings.rowsPerSlice);
  const estimate = estimateCost(input, call, { rows: selected, meanPromptBytes: promptBytes.meanBytes });
  if (input.max_cost_usd !== undefined) checkBudget(input.max_cost_usd, estimate);

  await writeJson(deps.store, layout.slices, slices);
  // Written last: a plan that is there is whole.
  await writeJson(deps.store, layout.plan, {
    format_version: 1,
    quarry_version: deps.settings.version,
    run_id: runId,
    input_hash: inputHash,
    input: rest,
    dataset,
    model: {
      model_id: input.model_id,
      family: call.adapter.family,
      invocation_type: call.adapter.invocationType,
    },
    prompt_template: call.template,
    prompt_hash: deps.hash(JSON.stringify([call.template, call.frame.before, call.frame.after])),
    output_column: outputColumnsOf(input, call.adapter)[0] ?? '',
    selected_rows: selected,
    parts: parts.length,
    slices: slices.length,
    max_concurrent_jobs: quotas.maxConcurrentJobs,
    min_records_per_job: quotas.minRecordsPerJob,
    max_attempts: input.max_attempts ?? 3,
    estimate,
    created_at: new Date(deps.clock.now()).toISOString(),
  } satisfies RunPlan);
  return state;
}

/** Part of an input file's most bytes that packing aims at. */
const BYTES_HEADROOM = 0.9;

/** Bytes of a record beside its prompt. */
function recordBytesOf({ before, after }: RecordFrame): number {
  return Buffer.byteLength(`{"recordId":"${recordIdOf(0)}","modelInput":${before}""${after}}\n`);
}

function checkColumns(input: RunInput, call: ModelCall, { columns }: Dataset): void {
  const names = columns.map(({ name }) => name);
  const has = `The dataset has ${names.join(', ')}.`;
  const missing = placeholdersOf(call.frame.prompt).filter((column) => !names.includes(column));
  if (missing.length > 0) {
    const what =
      call.template === null
        ? `text_column "${missing[0]}" is not a column of the dataset.`
        : `The prompt needs ${missing.length === 1 ? 'column' : 'columns'} ${missing.map((column) => `"${column}"`).join(', ')}, which the dataset does not have.`;
    throw new InvalidRunInputError(`${what} ${has}`);
  }
  if (input.record_id_column !== undefined && !names.includes(input.record_id_column)) {
    throw new InvalidRunInputError(`record_id_column "${input.record_id_column}" is not a column. ${has}`);
  }
  const added = outputColumnsOf(input, call.adapter);
  const clash = added.find((column) => names.some((name) => name.toLowerCase() === column.toLowerCase()));
  if (clash !== undefined) {
    throw new InvalidRunInputError(
      clash === added[0]
        ? `The dataset has a column "${clash}" already. Name another one for the answers with output_column.`
        : `The dataset has a column "${clash}", which Quarry adds to the output. Rename it in the dataset${clash === 'record_id' ? ', or name it as record_id_column' : ''}.`,
    );
  }
}
