import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { rowsThatFit } from '../../core/plan/packing.ts';
import type { Dataset, Slice } from '../../core/plan/part.ts';
import { readsOf } from '../../core/plan/slice-reads.ts';
import type { RunInput } from '../../core/run-input/run-input.ts';
import type { DuckDb } from '../../rows/duckdb/duckdb.ts';
import { openRequestIndex, type RequestIndex } from '../../rows/prepare/request-index.ts';
import type { LocalDatasetFile } from '../../rows/sources/describe-dataset.ts';
import { runLayout, runUriOf } from '../../runs/run-layout.ts';
import { askedOf } from '../answers/asked.ts';
import { type LaidForRun, layAnswers } from '../answers/lay-answers.ts';
import type { PlanDeps } from '../deps.ts';
import { cutLongParts } from './long-parts.ts';
import type { ModelCall } from './model-call.ts';
import { resultColumnsOfRun } from './result-columns-of-run.ts';
import { cutSlices, type SliceRequest } from './slices.ts';

/** A dataset cut into slices and parts. */
export interface PackedDataset {
  /** Rows of the dataset that are run. */
  selectedRows: number;
  /** Of these, the ones whose request an earlier row sends. */
  duplicates: number;
  slices: Slice[];
  recordsOfParts: number[];
  /** Local file of the duplicates, where there are some. */
  duplicatesPath: string | undefined;
  /** What former runs have; undefined where none of their answers are wanted. */
  reuse: PackedReuse | undefined;
}

/** The answers of former runs that rows get. */
export interface PackedReuse extends Omit<LaidForRun, 'fetched'> {
  /** Rows of the run that get one. */
  rows: number;
}

/** The run that a dataset is packed for. */
export interface PackingContext {
  input: RunInput;
  call: ModelCall;
  local: readonly LocalDatasetFile[];
  runId: string;
  inputHash: string;
  deps: PlanDeps;
}

/** Cuts the rows that are run into slices and parts: by rows, or by records where some rows are not sent. */
export async function packDataset(
  dataset: Dataset,
  request: SliceRequest,
  context: PackingContext,
): Promise<PackedDataset> {
  const { input, runId, deps } = context;
  const takesAnswers = input.reuse === true || input.rerun_of !== undefined;
  if (input.dedupe !== true && !takesAnswers) return packRowsOf(dataset, request);
  const scratchDirectory = join(deps.scratchDirectory, `plan-${runId}`);
  await mkdir(scratchDirectory, { recursive: true });
  const found = await openIndex(dataset, request, { ...context, scratchDirectory });
  await using index = found.index;
  const reuseOf = async (rows: number) =>
    found.reuse === undefined ? undefined : { ...found.reuse, rows: await index.laidBefore(rows) };
  if (index.unsent === 0) {
    const packed = packRowsOf(dataset, request);
    return { ...packed, reuse: await reuseOf(packed.selectedRows) };
  }
  const packed = await packRecordsOf(dataset, request, index);
  const reuse = await reuseOf(packed.selectedRows);
  const duplicates = packed.unsent - (reuse?.rows ?? 0);
  const duplicatesPath = join(scratchDirectory, 'duplicates.parquet');
  if (duplicates > 0) await index.save(duplicatesPath, packed.selectedRows);
  const { unsent: _, ...rest } = packed;
  return { ...rest, duplicates, duplicatesPath: duplicates > 0 ? duplicatesPath : undefined, reuse };
}

/** Finds the rows that need not be sent. */
async function openIndex(
  dataset: Dataset,
  { rows }: SliceRequest,
  {
    input,
    call,
    local,
    runId,
    inputHash,
    deps,
    scratchDirectory,
  }: PackingContext & { scratchDirectory: string },
): Promise<{ index: RequestIndex; reuse: Omit<LaidForRun, 'fetched'> | undefined }> {
  const { pricedId, adapter } = call;
  const model = {
    model_id: input.model_id,
    base_model_id: pricedId,
    family: adapter.family,
    invocation_type: adapter.invocationType,
  };
  const asked = askedOf({ model }, deps.settings);
  const layout = runLayout(runUriOf(deps.settings.bucket, runId));
  const columns = resultColumnsOfRun(input, call);
  let laying: LaidForRun | undefined;
  const lay = async (db: DuckDb) => {
    const former = input.rerun_of === undefined ? undefined : { input, call, dataset };
    laying = await layAnswers(db, { layout, inputHash, asked, columns, former, scratchDirectory }, deps);
    return laying.laid;
  };
  try {
    const index = await openRequestIndex({
      files: local,
      dataset,
      frame: call.frame,
      asked,
      recordIdColumn: input.record_id_column,
      rows,
      lay: input.reuse === true || input.rerun_of !== undefined ? lay : undefined,
      scratchDirectory,
    });
    return { index, reuse: laying };
  } finally {
    await laying?.fetched?.[Symbol.asyncDispose]();
  }
}

function packRowsOf(dataset: Dataset, request: SliceRequest): PackedDataset {
  const rows = Math.min(request.rows, rowsThatFit(request.bytesPerRow, request.limits));
  const slices = cutSlices(dataset, { ...request, rows });
  return {
    selectedRows: rows,
    duplicates: 0,
    slices,
    recordsOfParts: slices.flatMap((slice) => slice.parts.map((part) => part.rows)),
    duplicatesPath: undefined,
    reuse: undefined,
  };
}

/** What packing by records gives. */
interface PackedRecords extends Pick<PackedDataset, 'selectedRows' | 'slices' | 'recordsOfParts'> {
  /** Rows that are run and not sent. */
  unsent: number;
}

/** Cuts rows of which none is sent. */
function packUnsent(dataset: Dataset, request: SliceRequest): PackedRecords {
  const { maxParts: _, ...limits } = request.limits;
  const slices = cutSlices(dataset, {
    ...request,
    limits: { ...limits, slots: 1 },
    pilot: false,
    pilotRows: undefined,
  });
  const unsent = slices.map((slice) => ({
    ...slice,
    parts: slice.parts.map((part) => ({ ...part, records: 0 })),
  }));
  return {
    selectedRows: request.rows,
    unsent: request.rows,
    slices: unsent,
    recordsOfParts: unsent.flatMap(({ parts }) => parts.map(({ records }) => records)),
  };
}

/**
 * Packs the records as if they were all there is, then gives every part the other rows that stand between its records,
 * or after its last one.
 */
async function packRecordsOf(
  dataset: Dataset,
  request: SliceRequest,
  index: RequestIndex,
): Promise<PackedRecords> {
  const allRecords = request.rows - index.unsent;
  if (allRecords === 0) return packUnsent(dataset, request);
  const records = Math.min(allRecords, rowsThatFit(request.bytesPerRow, request.limits));
  const [afterLast = 0] = await index.rowsOf([records]);
  const rows = records === allRecords ? request.rows : afterLast;

  const starts = startsOf(dataset).map((start) => Math.min(start, rows));
  const recordStarts = await index.recordsBefore([...starts, rows]);
  const recordsDataset: Dataset = {
    ...dataset,
    files: dataset.files.map((file, at) => ({
      ...file,
      rows: (recordStarts[at + 1] ?? 0) - (recordStarts[at] ?? 0),
    })),
    rows: records,
  };
  const share = records / rows;
  const slices = cutSlices(recordsDataset, {
    ...request,
    rows: records,
    rowsPerSlice: Math.max(1, Math.floor(request.rowsPerSlice * share)),
  });

  const parts = slices.flatMap((slice) => slice.parts);
  const rowStarts = await index.rowsOf(parts.map(({ first_row }) => first_row));
  // A text file is read by one slice: its first part starts where the file does, were it with a duplicate.
  let at = 0;
  for (const { reads, parts: ofSlice } of slices) {
    const file = dataset.files.findIndex(({ uri }) => uri === reads[0]?.uri);
    if (dataset.format !== 'parquet') rowStarts[at] = starts[file] ?? 0;
    at += ofSlice.length;
  }
  rowStarts[0] = 0;
  at = 0;
  const inRows = slices.map(({ slice, parts: ofSlice }): Slice => {
    const moved = ofSlice.map(({ part_id, variant, rows: partRecords }) => {
      const first_row = rowStarts[at] ?? 0;
      at += 1;
      return { part_id, variant, first_row, rows: (rowStarts[at] ?? rows) - first_row, records: partRecords };
    });
    return { slice, parts: moved, reads: readsOf(dataset, moved) };
  });
  const cut = await cutLongParts(inRows, {
    dataset,
    recordsBefore: (before) => index.recordsBefore(before),
    maxParts: request.limits.maxParts,
  });
  return {
    selectedRows: rows,
    unsent: rows - records,
    slices: cut,
    recordsOfParts: cut.flatMap((slice) => slice.parts.map((part) => part.records ?? part.rows)),
  };
}

/** The number of each file's first row. */
function startsOf({ files }: Dataset): number[] {
  let next = 0;
  return files.map(({ rows }) => {
    const start = next;
    next += rows;
    return start;
  });
}
