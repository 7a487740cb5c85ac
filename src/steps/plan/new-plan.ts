import { join } from 'node:path';
import { jobsAtOnce } from '../../core/jobs/quotas.ts';
import { DEFAULT_SPREAD_RECORDS, type PackingLimits, rowsPerPart } from '../../core/plan/packing.ts';
import type { Dataset, Slice } from '../../core/plan/part.ts';
import type {
  CostEstimate,
  HubSource,
  PlannedReuse,
  PlanQuotas,
  PromptIds,
  RunPlan,
  Variant,
} from '../../core/plan/run-plan.ts';
import { recordIdOf } from '../../core/record-id.ts';
import type { RunInput } from '../../core/run-input/run-input.ts';
import type { RecordFrame } from '../../models/record-frame.ts';
import { datasetNotes } from '../../rows/sources/dataset-notes.ts';
import type { LocalDatasetFile } from '../../rows/sources/describe-dataset.ts';
import { samplePromptBytes } from '../../rows/sources/prompt-sample.ts';
import { checkRecordIds } from '../../rows/sources/record-id-check.ts';
import type { PlanDeps } from '../deps.ts';
import { checkBudget, estimateCost } from './cost-estimate.ts';
import { countForPlan, type InputCount } from './count-input.ts';
import { checkColumns, withRecordIds } from './dataset-columns.ts';
import { readDataset } from './dataset-reading.ts';
import { type MediaSize, measureMedia, openMediaOfRun } from './media-of-run.ts';
import type { ModelCall } from './model-call.ts';
import { type PackedDataset, type PackedReuse, packDataset } from './pack-dataset.ts';
import { planNotes } from './plan-notes.ts';
import { choosePrompts, promptIdNotes } from './prompt-choice.ts';
import { resultColumnsOfRun } from './result-columns-of-run.ts';
import { rowsPerSource, type SliceRequest } from './slices.ts';
import { workingFilesNotes } from './working-files.ts';

/** What is to be planned: a run that there was not before. */
export interface NewRun {
  /** The run input as it was written, and as it was parsed. */
  document: unknown;
  given: RunInput;
  call: ModelCall;
  /** Most records of a job, by the quotas and the run input. */
  maxRecords: number;
  /** The quotas, and where they come from. */
  quotas: PlanQuotas;
  runId: string;
  inputHash: string;
  hub: HubSource | null;
  /** How CSV is written, where the run input does not say it. */
  csv: Partial<RunInput>;
  /** What is to be told of what lies beside the dataset's files. */
  notes: readonly string[];
}

/** A plan that was made anew, and what is to be written beside it. */
export interface NewPlan {
  plan: RunPlan;
  slices: Slice[];
  recordsOfParts: number[];
  duplicatesPath: string | undefined;
  skippedPath: string | undefined;
  /** The answers of former runs that it gets; undefined where it takes none. */
  reuse: PackedReuse | undefined;
}

/** The dataset as it is, and the run input with what its columns decide. */
interface ReadDataset {
  dataset: Dataset;
  input: RunInput;
  meanPromptBytes: number;
  /** What images and documents add. */
  mediaSize: MediaSize;
  /** Input tokens of a record; undefined where they are guessed by bytes. */
  count: InputCount | undefined;
  skippedPath: string | undefined;
  /** What a user should know of the prompts. */
  notes: string[];
  /** How its rows are asked. */
  call: ModelCall;
  promptIds: PromptIds | undefined;
  /** Share of its rows that can be asked, as far as it is known before they are prepared. */
  askedShare: number;
}

/** Plans a run over the dataset's files: checks columns and ids, packs the rows, and works out the price. */
export async function makePlan(
  run: NewRun,
  local: readonly LocalDatasetFile[],
  deps: PlanDeps,
): Promise<NewPlan> {
  const read = await readFor(run, local, deps);
  const { call } = read;
  const { runId } = run;
  const request = sliceRequestOf(read, run, deps);
  const packed = await packDataset(read.dataset, request, {
    input: read.input,
    call,
    local,
    runId,
    inputHash: run.inputHash,
    deps,
  });
  const priced = priceOf(packed, read, { minRecords: request.limits.minRecords });
  const { slices, recordsOfParts, duplicatesPath, reuse } = packed;
  return {
    plan: planOf({ ...priced, run, read, request, packed }, deps),
    slices,
    recordsOfParts,
    duplicatesPath,
    skippedPath: read.skippedPath,
    reuse,
  };
}

async function readFor(
  { given, call: asked, runId, csv }: NewRun,
  local: readonly LocalDatasetFile[],
  deps: PlanDeps,
): Promise<ReadDataset> {
  const scratchDirectory = join(deps.scratchDirectory, `plan-${runId}`);
  const { dataset, skippedPath } = await readDataset(local, { ...csv, ...given }, scratchDirectory);
  const input = withRecordIds(given, dataset);
  const rows = rowsAtMost(dataset, input);
  const { call, promptIds } = await choosePrompts(asked, { dataset, local, rows });
  const notes = [...checkColumns(input, call, dataset), ...promptIdNotes(promptIds, input.prompt_id_column)];
  if (input.record_id_column !== undefined) {
    const isNamed = given.record_id_column !== undefined;
    await checkRecordIds(local, dataset, { column: input.record_id_column, isNamed });
  }
  // Prompts that a column chooses may be of very different lengths, and stand together: so all of them are looked at.
  const sampled = promptIds === undefined || call.frame.media !== undefined ? undefined : rows;
  const { meanBytes, sampledRows } = await samplePromptBytes(local, dataset, call.frame, sampled);
  const askedRows = sampled === undefined ? rows - (promptIds?.unknown.rows ?? 0) : sampledRows;
  const media = await openMediaOfRun(input, call, { ...deps, dataset });
  const mediaSize = await measureMedia(input, call, { dataset, local, media });
  const count = await countForPlan({ input, call, dataset, meanBytes }, local, deps);
  return {
    dataset,
    input,
    meanPromptBytes: meanBytes,
    mediaSize,
    count,
    skippedPath,
    notes: [...notes, ...mediaSize.notes, ...(count?.notes ?? [])],
    call,
    promptIds,
    askedShare: rows === 0 ? 1 : askedRows / rows,
  };
}

/** Rows that a run has at most. */
function rowsAtMost({ rows }: Dataset, { max_records }: RunInput): number {
  return Math.min(rows, max_records ?? Number.POSITIVE_INFINITY);
}

function sliceRequestOf(
  { dataset, input, meanPromptBytes, mediaSize, call }: ReadDataset,
  { maxRecords }: NewRun,
  { settings }: Pick<PlanDeps, 'settings'>,
): SliceRequest {
  const { quotas, rowsPerSlice } = settings;
  const limits: PackingLimits = {
    minRecords: quotas.minRecordsPerJob,
    maxRecords: Math.min(maxRecords, rowsPerSource(dataset)),
    // The sample's mean is an estimate; a part that is larger all the same is cut by Prepare.
    maxBytes: quotas.maxInputFileBytes * BYTES_HEADROOM,
    slots: jobsAtOnce(quotas.maxConcurrentJobs, input.max_concurrent_jobs),
    spreadRecords: input.min_records_per_job_spread ?? DEFAULT_SPREAD_RECORDS,
    ...(input.max_num_jobs === undefined ? {} : { maxParts: input.max_num_jobs }),
  };
  return {
    rows: rowsAtMost(dataset, input),
    bytesPerRow: meanPromptBytes + mediaSize.meanBytes + recordBytesOf(call.frame),
    limits,
    rowsPerSlice,
    pilot: input.pilot ?? true,
    pilotRows: input.pilot_rows,
  };
}

/** Throws BudgetExceededError where the price is over the run's own limit. */
function priceOf(
  { selectedRows, duplicates, recordsOfParts, reuse }: PackedDataset,
  { input, meanPromptBytes, mediaSize, count, call, askedShare }: ReadDataset,
  { minRecords }: { minRecords: number },
): Pick<Decided, 'onDemandRows' | 'estimate' | 'maxUsdWithout'> {
  const onDemandRows = recordsOfParts
    .filter((records) => records < minRecords)
    .reduce((sum, records) => sum + records, 0);
  const distinct = Math.ceil(selectedRows * askedShare) - duplicates;
  const rows = distinct - (reuse?.rows ?? 0);
  const size = { meanPromptBytes, meanMediaTokens: mediaSize.meanTokens, count };
  const estimate = estimateCost(input, call, { rows, onDemandRows, ...size });
  if (input.max_cost_usd !== undefined) checkBudget(input.max_cost_usd, estimate, input.budget_mode);
  const without = estimateCost(input, call, {
    rows: distinct,
    onDemandRows: distinct < minRecords ? distinct : 0,
    ...size,
  });
  return { onDemandRows, estimate, maxUsdWithout: without.max_usd };
}

/** All that a plan is written from. */
interface Decided {
  run: NewRun;
  read: ReadDataset;
  request: SliceRequest;
  packed: PackedDataset;
  onDemandRows: number;
  estimate: CostEstimate;
  /** Dollars for the longest answers if none of a former run were taken. */
  maxUsdWithout: number | null;
}

function planOf(
  { run, read, request, packed, onDemandRows, estimate, maxUsdWithout }: Decided,
  deps: PlanDeps,
): RunPlan {
  const { given, runId, inputHash, hub } = run;
  const { dataset, input, promptIds } = read;
  const { quotas, version, modelServer, bedrockEndpoint } = deps.settings;
  const { run_id: _, ...unnamed } = given;
  return {
    format_version: 3,
    quarry_version: version,
    run_id: runId,
    input_hash: inputHash,
    input: unnamed,
    dataset,
    hub,
    variants: [variantOf(read, deps)],
    ...(promptIds === undefined ? {} : { prompt_ids: promptIds }),
    ...(modelServer === undefined ? {} : { model_server: modelServer }),
    ...(bedrockEndpoint === undefined ? {} : { bedrock_endpoint: bedrockEndpoint }),
    ...(input.record_id_column === given.record_id_column
      ? {}
      : { record_id_column: input.record_id_column }),
    selected_rows: packed.selectedRows,
    duplicates: packed.duplicates,
    ...(packed.reuse === undefined
      ? {}
      : { reuse: { ...countsOf(packed.reuse), max_usd_without: maxUsdWithout } }),
    on_demand_rows: onDemandRows,
    parts: packed.recordsOfParts.length,
    max_rows_per_part: rowsPerPart(request.bytesPerRow, request.limits),
    slices: packed.slices.length,
    max_concurrent_jobs: quotas.maxConcurrentJobs,
    quotas: run.quotas,
    min_records_per_job: quotas.minRecordsPerJob,
    max_attempts: input.max_attempts ?? 3,
    estimate,
    notes: notesOf({ run, read, request, packed }, deps),
    created_at: new Date(deps.clock.now()).toISOString(),
    job_naming: 'place',
  };
}

function countsOf({ rows, changed, answers }: PackedReuse): Omit<PlannedReuse, 'max_usd_without'> {
  return { rows, changed, answers };
}

function variantOf({ input, call }: ReadDataset, { hash }: Pick<PlanDeps, 'hash'>): Variant {
  const { adapter, pricedId, template, templates, frame } = call;
  const { model_id, system_prompt, inference_parameters = {}, thinking = 'off' } = input;
  return {
    model: {
      model_id,
      ...(pricedId === model_id ? {} : { base_model_id: pricedId }),
      family: adapter.family,
      invocation_type: adapter.invocationType,
    },
    prompt_template: template,
    ...(templates === undefined ? {} : { prompt_templates: templates }),
    ...(system_prompt === undefined ? {} : { system_placeholders: true }),
    prompt_hash: hash(JSON.stringify([template, frame.segments])),
    parameters: inference_parameters,
    ...(adapter.output.kind === 'text' ? { thinking } : {}),
    ...(call.schemaForm === undefined ? {} : { schema_form: call.schemaForm }),
    output_column: resultColumnsOfRun(input, call).answer.name,
  };
}

function notesOf(
  { run, read, request, packed }: Pick<Decided, 'run' | 'read' | 'request' | 'packed'>,
  { notes = [], settings }: Pick<PlanDeps, 'notes' | 'settings'>,
): string[] {
  const { document, given, call } = run;
  return [
    ...call.notes,
    ...notes,
    ...run.notes,
    ...read.notes,
    ...(packed.reuse?.notes ?? []),
    ...datasetNotes(read.dataset),
    ...planNotes({
      document,
      given,
      input: read.input,
      available: request.rows,
      selected: packed.selectedRows,
      jobs: packed.recordsOfParts,
    }),
    ...workingFilesNotes({
      jobs: packed.recordsOfParts,
      jobsInFlight: jobsAtOnce(settings.quotas.maxConcurrentJobs, given.max_concurrent_jobs),
      workingFilesDays: settings.workingFilesDays,
    }),
  ];
}

/** Part of an input file's most bytes that packing aims at. */
const BYTES_HEADROOM = 0.9;

/** Bytes of a record beside its prompt. */
function recordBytesOf({ segments }: RecordFrame): number {
  const body = segments.map((segment) => (segment.kind === 'text' ? segment.text : '""')).join('');
  return Buffer.byteLength(`{"recordId":"${recordIdOf(0)}","modelInput":${body}}\n`);
}
