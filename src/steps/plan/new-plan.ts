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
import type { InputVariant, RunInput } from '../../core/run-input/run-input.ts';
import { frameBytes } from '../../models/record-frame.ts';
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
import { addEstimates, checkSideBySide, notesOfVariants, packSideBySide } from './side-by-side.ts';
import { rowsPerSource, type SliceRequest } from './slices.ts';
import { workingFilesNotes } from './working-files.ts';

/** What is to be planned: a run that there was not before. */
export interface NewRun {
  /** The run input as it was written, and as it was parsed. */
  document: unknown;
  given: RunInput;
  /** What the rows are asked, in the order of the run input. */
  variants: readonly AskedVariant[];
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

/** One of the ways that the rows are asked. */
export interface AskedVariant extends InputVariant {
  call: ModelCall;
  /** Jobs that its model may have at once, and how many of the variants ask that model. */
  slots: number;
  sharing: number;
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
  const { runId, csv, given, inputHash } = run;
  const scratchDirectory = join(deps.scratchDirectory, `plan-${runId}`);
  const described = await readDataset(local, { ...csv, ...given }, scratchDirectory);
  const decided: Decided[] = [];
  for (const variant of run.variants) {
    const isFirst = decided.length === 0;
    const read = await readFor(variant, { ...described, local, isFirst }, deps);
    const { input, call } = read;
    const request = sliceRequestOf(read, { ...run, ...variant }, deps);
    const packed = await packDataset(read.dataset, request, { input, call, local, runId, inputHash, deps });
    const priced = priceOf(packed, read, request);
    decided.push({ ...priced, variant, read, request, packed });
  }
  const packed = packSideBySide(decided.map((each) => each.packed));
  const { slices, recordsOfParts, duplicatesPath, reuse } = packed;
  return {
    plan: planOf({ run, decided, packed }, deps),
    slices,
    recordsOfParts,
    duplicatesPath,
    skippedPath: described.skippedPath,
    reuse,
  };
}

/** A dataset as it was described, and whether one of its variants has been looked at. */
interface DescribedDataset extends Pick<ReadDataset, 'dataset'> {
  local: readonly LocalDatasetFile[];
  isFirst: boolean;
}

async function readFor(
  { input: given, call: asked }: AskedVariant,
  { dataset, local, isFirst }: DescribedDataset,
  deps: PlanDeps,
): Promise<ReadDataset> {
  const input = withRecordIds(given, dataset);
  const rows = rowsAtMost(dataset, input);
  const { call, promptIds } = await choosePrompts(asked, { dataset, local, rows });
  const told = await checkColumns(input, call, dataset);
  const notes = [...told, ...promptIdNotes(promptIds, input.prompt_id_column)];
  if (isFirst && input.record_id_column !== undefined) {
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
  { maxRecords, slots, sharing }: Pick<NewRun, 'maxRecords'> & Pick<AskedVariant, 'slots' | 'sharing'>,
  { settings }: Pick<PlanDeps, 'settings'>,
): SliceRequest {
  const { quotas, rowsPerSlice } = settings;
  const limits: PackingLimits = {
    minRecords: quotas.minRecordsPerJob,
    maxRecords: Math.min(maxRecords, rowsPerSource(dataset)),
    // The sample's mean is an estimate; a part that is larger all the same is cut by Prepare.
    maxBytes: quotas.maxInputFileBytes * BYTES_HEADROOM,
    slots: Math.max(1, Math.floor(jobsAtOnce(slots, input.max_concurrent_jobs) / sharing)),
    spreadRecords: input.min_records_per_job_spread ?? DEFAULT_SPREAD_RECORDS,
    ...(input.max_num_jobs === undefined ? {} : { maxParts: input.max_num_jobs }),
  };
  return {
    rows: rowsAtMost(dataset, input),
    bytesPerRow: meanPromptBytes + mediaSize.meanBytes + frameBytes(call.frame),
    limits,
    rowsPerSlice,
    pilot: input.pilot ?? true,
    pilotRows: input.pilot_rows,
  };
}

function priceOf(
  { selectedRows, duplicates, recordsOfParts, reuse }: PackedDataset,
  { input, meanPromptBytes, mediaSize, count, call, askedShare }: ReadDataset,
  { limits: { minRecords }, bytesPerRow }: SliceRequest,
): Pick<Decided, 'onDemandRows' | 'estimate' | 'maxUsdWithout'> {
  const onDemandRows = recordsOfParts
    .filter((records) => records < minRecords)
    .reduce((sum, records) => sum + records, 0);
  const distinct = Math.ceil(selectedRows * askedShare) - duplicates;
  const rows = distinct - (reuse?.rows ?? 0);
  const size = { meanPromptBytes, meanMediaTokens: mediaSize.meanTokens, count, recordBytes: bytesPerRow };
  const estimate = estimateCost(input, call, { rows, onDemandRows, ...size });
  const without = estimateCost(input, call, {
    rows: distinct,
    onDemandRows: distinct < minRecords ? distinct : 0,
    ...size,
  });
  return { onDemandRows, estimate, maxUsdWithout: without.max_usd };
}

/** What was decided of one variant. */
interface Decided {
  variant: AskedVariant;
  read: ReadDataset;
  request: SliceRequest;
  packed: PackedDataset;
  onDemandRows: number;
  estimate: CostEstimate;
  /** Dollars for the longest answers if none of a former run were taken. */
  maxUsdWithout: number | null;
}

/** All that a plan is written from; `packed` is that of all variants. */
interface DecidedRun {
  run: NewRun;
  decided: readonly Decided[];
  packed: PackedDataset;
}

/** Throws InvalidRunInputError where the price is over the run's own limit, or columns of two variants have one name. */
function planOf({ run, decided, packed }: DecidedRun, deps: PlanDeps): RunPlan {
  const { given, runId, inputHash, hub } = run;
  const [{ read, request, maxUsdWithout }] = decided as [Decided, ...Decided[]];
  const { dataset, input, promptIds } = read;
  const { quotas, version, modelServer, bedrockEndpoint } = deps.settings;
  const { run_id: _, ...unnamed } = given;
  const estimate = addEstimates(decided.map((each) => each.estimate));
  if (given.max_cost_usd !== undefined) checkBudget(given.max_cost_usd, estimate, given.budget_mode);
  checkSideBySide(
    decided.map((each) => ({
      name: each.variant.name,
      columns: resultColumnsOfRun(each.read.input, each.read.call),
    })),
    dataset,
  );
  return {
    format_version: 3,
    quarry_version: version,
    run_id: runId,
    input_hash: inputHash,
    input: unnamed,
    dataset,
    hub,
    variants: decided.map((each) => variantOf(each, deps)) as RunPlan['variants'],
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
    on_demand_rows: decided.reduce((sum, { onDemandRows }) => sum + onDemandRows, 0),
    parts: packed.recordsOfParts.length,
    max_rows_per_part: rowsPerPart(request.bytesPerRow, request.limits),
    slices: packed.slices.length,
    max_concurrent_jobs: quotas.maxConcurrentJobs,
    quotas: run.quotas,
    min_records_per_job: quotas.minRecordsPerJob,
    max_attempts: input.max_attempts ?? 3,
    estimate,
    notes: notesOf({ run, decided, packed }, deps),
    created_at: new Date(deps.clock.now()).toISOString(),
    job_naming: 'place',
  };
}

function countsOf({ rows, changed, answers }: PackedReuse): Omit<PlannedReuse, 'max_usd_without'> {
  return { rows, changed, answers };
}

function variantOf(
  { variant: { name, slots }, read: { input, call }, packed, onDemandRows, estimate }: Decided,
  { hash }: Pick<PlanDeps, 'hash'>,
): Variant {
  const { adapter, pricedId, template, templates, frame } = call;
  const { model_id, system_prompt, inference_parameters = {}, thinking = 'off' } = input;
  const share = {
    on_demand_rows: onDemandRows,
    parts: packed.recordsOfParts.length,
    jobs_at_once: slots,
    estimate,
  };
  return {
    ...(name === undefined ? {} : { name, share }),
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
  { run, decided, packed }: DecidedRun,
  { notes = [], settings }: Pick<PlanDeps, 'notes' | 'settings'>,
): string[] {
  const { document, given } = run;
  const [{ read, request }] = decided as [Decided, ...Decided[]];
  const own = (notesOfOne: (each: Decided) => string[]) =>
    notesOfVariants(decided.map((each) => ({ name: each.variant.name, notes: notesOfOne(each) })));
  return [
    ...own(({ variant }) => variant.call.notes),
    ...notes,
    ...run.notes,
    ...own((each) => each.read.notes),
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
