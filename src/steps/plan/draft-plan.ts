import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { recordsPerJobLimit } from '../../core/jobs/quotas.ts';
import { type PackingLimits, rowsPerPart } from '../../core/plan/packing.ts';
import type { Slice } from '../../core/plan/part.ts';
import { RunPlan } from '../../core/plan/run-plan.ts';
import { recordIdOf } from '../../core/record-id.ts';
import { parseRunInput, type RunInput } from '../../core/run-input/run-input.ts';
import type { RecordFrame } from '../../models/record-frame.ts';
import { datasetNotes } from '../../rows/sources/dataset-notes.ts';
import { samplePromptBytes } from '../../rows/sources/prompt-sample.ts';
import { checkRecordIds } from '../../rows/sources/record-id-check.ts';
import { type RunLayout, runLayout, runUriOf } from '../../runs/run-layout.ts';
import { readJsonIfPresent } from '../../store/json-object.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import type { PlanDeps } from '../deps.ts';
import { checkBudget, estimateCost } from './cost-estimate.ts';
import { checkColumns, withRecordIds } from './dataset-columns.ts';
import { openDatasetSource, withDatasetFiles } from './dataset-files.ts';
import { readDataset } from './dataset-reading.ts';
import { type ModelCall, modelCallOf } from './model-call.ts';
import { packDataset } from './pack-dataset.ts';
import { planNotes } from './plan-notes.ts';
import { resultColumnsOfRun } from './result-columns-of-run.ts';
import {
  inputHashOf,
  limitsOf,
  type RunLimits,
  refuseOtherInput,
  refuseOtherServer,
  runIdOf,
  withoutLimits,
} from './run-identity.ts';
import { rowsPerSource } from './slices.ts';
import { readSlices } from './stored-slices.ts';

/** A run on paper. */
export interface PlanDraft {
  layout: RunLayout;
  plan: RunPlan;
  slices: Slice[];
  /** Records of each part, as far as they are known before. */
  recordsOfParts: number[];
  /** Local file of the rows that are not sent, as identical requests are; undefined where every row is sent. */
  duplicatesPath: string | undefined;
  /** Local file of the dataset's records that are left out; undefined where none is. */
  skippedPath: string | undefined;
  /** True where the run was planned before: this is its plan. */
  isKnown: boolean;
  /** What the run may cost from now on, and how long its jobs may take. */
  limits: RunLimits;
}

/**
 * Validates the run input against the dataset's real columns, counts and packs the rows, and works out the price.
 * Nothing is written and nothing is spent. The same input finds the plan that is there; another one under the same
 * run_id is refused.
 */
export async function draftPlan(document: unknown, deps: PlanDeps): Promise<PlanDraft> {
  const given = parseRunInput(document);
  const { quotas, bucket } = deps.settings;
  const call = modelCallOf(given, deps.settings);
  const maxRecords = recordsPerJobLimit(quotas, given.max_records_per_job);
  const { run_id: _, ...rest } = given;
  const runLimits = limitsOf(given);
  const pinned = await findPinnedPlan(given, rest, call, deps);
  if (pinned !== undefined) {
    await deps.claimRun?.(pinned.plan.run_id);
    return { ...pinned, limits: runLimits };
  }

  const { files, hub } = await openDatasetSource(given, deps);
  // A Hugging Face dataset is the same wherever and whenever it was downloaded.
  const inputHash = inputHashOf(rest, call.template, {
    source: hub ?? files,
    hash: deps.hash,
    modelServer: deps.settings.modelServer,
  });
  const runId = runIdOf(given, inputHash);
  const layout = runLayout(runUriOf(bucket, runId));
  await deps.claimRun?.(runId);
  const known = await readKnownPlan(layout, deps.store);
  if (known !== undefined) {
    refuseOtherServer(known.plan, deps.settings.modelServer);
    refuseOtherInput(known.plan, withoutLimits(rest), inputHash, files);
    return { ...known, limits: runLimits };
  }

  return withDatasetFiles(files, { ...deps, format: given.format }, async (local) => {
    const scratchDirectory = join(deps.scratchDirectory, `plan-${runId}`);
    const { dataset, skippedPath } = await readDataset(local, given, scratchDirectory);
    const input = withRecordIds(given, dataset);
    checkColumns(input, call, dataset);
    if (input.record_id_column !== undefined) {
      const isNamed = given.record_id_column !== undefined;
      await checkRecordIds(local, dataset, { column: input.record_id_column, isNamed });
    }
    const { meanBytes } = await samplePromptBytes(local, dataset, call.frame);
    const limits: PackingLimits = {
      minRecords: quotas.minRecordsPerJob,
      maxRecords: Math.min(maxRecords, rowsPerSource(dataset)),
      // The sample's mean is an estimate; a part that is larger all the same is cut by Prepare.
      maxBytes: quotas.maxInputFileBytes * BYTES_HEADROOM,
      slots: quotas.maxConcurrentJobs,
      ...(input.max_num_jobs === undefined ? {} : { maxParts: input.max_num_jobs }),
    };
    const bytesPerRow = meanBytes + recordBytesOf(call.frame);
    const request = {
      rows: Math.min(dataset.rows, input.max_records ?? Number.POSITIVE_INFINITY),
      bytesPerRow,
      limits,
      rowsPerSlice: deps.settings.rowsPerSlice,
      pilot: input.pilot ?? true,
    };
    const packed = await packDataset(dataset, request, { input, call, local, runId, deps });
    const { selectedRows, duplicates, slices, recordsOfParts } = packed;
    const onDemandRows = recordsOfParts
      .filter((records) => records < quotas.minRecordsPerJob)
      .reduce((sum, records) => sum + records, 0);
    const estimate = estimateCost(input, call, {
      rows: selectedRows - duplicates,
      onDemandRows,
      meanPromptBytes: meanBytes,
    });
    if (input.max_cost_usd !== undefined) checkBudget(input.max_cost_usd, estimate);

    const plan: RunPlan = {
      format_version: 2,
      quarry_version: deps.settings.version,
      run_id: runId,
      input_hash: inputHash,
      input: rest,
      dataset,
      hub,
      model: {
        model_id: input.model_id,
        ...(call.pricedId === input.model_id ? {} : { base_model_id: call.pricedId }),
        family: call.adapter.family,
        invocation_type: call.adapter.invocationType,
      },
      ...(deps.settings.modelServer === undefined ? {} : { model_server: deps.settings.modelServer }),
      ...(input.record_id_column === given.record_id_column
        ? {}
        : { record_id_column: input.record_id_column }),
      prompt_template: call.template,
      ...(input.system_prompt === undefined ? {} : { system_placeholders: true }),
      prompt_hash: deps.hash(JSON.stringify([call.template, call.frame.segments])),
      output_column: resultColumnsOfRun(input, call).answer.name,
      selected_rows: selectedRows,
      duplicates,
      on_demand_rows: onDemandRows,
      parts: recordsOfParts.length,
      max_rows_per_part: rowsPerPart(bytesPerRow, limits),
      slices: slices.length,
      max_concurrent_jobs: quotas.maxConcurrentJobs,
      min_records_per_job: quotas.minRecordsPerJob,
      max_attempts: input.max_attempts ?? 3,
      estimate,
      notes: [
        ...call.notes,
        ...datasetNotes(dataset),
        ...planNotes({
          document,
          given,
          input,
          available: request.rows,
          selected: selectedRows,
          jobs: recordsOfParts,
        }),
      ],
      created_at: new Date(deps.clock.now()).toISOString(),
      job_naming: 'place',
    };
    return {
      layout,
      plan,
      slices,
      recordsOfParts,
      duplicatesPath: packed.duplicatesPath,
      skippedPath,
      isKnown: false,
      limits: runLimits,
    };
  });
}

/**
 * The plan under the run_id that was given, if it is of the same Hugging Face dataset and prompt: it holds on to the
 * commit that the revision stood for then.
 */
async function findPinnedPlan(
  { run_id, dataset_id }: RunInput,
  given: Record<string, unknown>,
  call: ModelCall,
  { store, settings }: PlanDeps,
): Promise<KnownPlan | undefined> {
  if (run_id === undefined || dataset_id === undefined) return undefined;
  const known = await readKnownPlan(runLayout(runUriOf(settings.bucket, run_id)), store);
  const isSame =
    known?.plan.prompt_template === call.template &&
    isDeepStrictEqual(known?.plan.model_server, settings.modelServer) &&
    isDeepStrictEqual(withoutLimits(known.plan.input), withoutLimits(given));
  if (known === undefined || !isSame) return undefined;
  for (const { uri } of known.plan.dataset.files) {
    // Downloaded again, they may be another commit's.
    if ((await store.head(uri)) === undefined) return undefined;
  }
  return known;
}

type KnownPlan = Omit<PlanDraft, 'limits'>;

async function readKnownPlan(layout: RunLayout, store: ObjectStore): Promise<KnownPlan | undefined> {
  // What somebody deleted, since it was damaged, has a copy: jobs are named after the moment of the plan.
  const plan =
    (await readJsonIfPresent(store, layout.plan, RunPlan)) ??
    (await readJsonIfPresent(store, layout.planCopy, RunPlan));
  if (plan === undefined) return undefined;
  const slices = await readSlices(layout, { store });
  const recordsOfParts = slices.flatMap(({ parts }) => parts.map(({ records, rows }) => records ?? rows));
  return {
    layout,
    plan,
    slices,
    recordsOfParts,
    duplicatesPath: undefined,
    skippedPath: undefined,
    isKnown: true,
  };
}

/** Part of an input file's most bytes that packing aims at. */
const BYTES_HEADROOM = 0.9;

/** Bytes of a record beside its prompt. */
function recordBytesOf({ segments }: RecordFrame): number {
  const body = segments.map((segment) => (segment.kind === 'text' ? segment.text : '""')).join('');
  return Buffer.byteLength(`{"recordId":"${recordIdOf(0)}","modelInput":${body}}\n`);
}
