import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { rowsThatFit } from '../../core/plan/packing.ts';
import type { Dataset, Slice } from '../../core/plan/part.ts';
import { readsOf } from '../../core/plan/slice-reads.ts';
import type { RunInput } from '../../core/run-input/run-input.ts';
import { openRequestIndex, type RequestIndex } from '../../rows/prepare/request-index.ts';
import type { LocalDatasetFile } from '../../rows/sources/describe-dataset.ts';
import type { PlanDeps } from '../deps.ts';
import type { ModelCall } from './model-call.ts';
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
}

/** The run that a dataset is packed for. */
export interface PackingContext {
  input: RunInput;
  call: ModelCall;
  local: readonly LocalDatasetFile[];
  runId: string;
  deps: Pick<PlanDeps, 'scratchDirectory'>;
}

/** Cuts the rows that are run into slices and parts: by rows, or by records where identical requests are sent once. */
export async function packDataset(
  dataset: Dataset,
  request: SliceRequest,
  { input, call, local, runId, deps }: PackingContext,
): Promise<PackedDataset> {
  if (input.dedupe !== true) return packRowsOf(dataset, request);
  const scratchDirectory = join(deps.scratchDirectory, `plan-${runId}`);
  await mkdir(scratchDirectory, { recursive: true });
  await using index = await openRequestIndex({
    files: local,
    dataset,
    frame: call.frame,
    asked: { modelId: input.model_id, invocationType: call.adapter.invocationType },
    recordIdColumn: input.record_id_column,
    rows: request.rows,
    scratchDirectory,
  });
  if (index.duplicates === 0) return packRowsOf(dataset, request);
  const packed = await packRecordsOf(dataset, request, index);
  const duplicatesPath = join(scratchDirectory, 'duplicates.parquet');
  if (packed.duplicates > 0) await index.save(duplicatesPath, packed.selectedRows);
  return { ...packed, duplicatesPath: packed.duplicates > 0 ? duplicatesPath : undefined };
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
  };
}

/**
 * Packs the records as if they were all there is, then gives every part the duplicates that stand between its records,
 * or after its last one.
 */
async function packRecordsOf(
  dataset: Dataset,
  request: SliceRequest,
  index: RequestIndex,
): Promise<Omit<PackedDataset, 'duplicatesPath'>> {
  const allRecords = request.rows - index.duplicates;
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
  return {
    selectedRows: rows,
    duplicates: rows - records,
    slices: inRows,
    recordsOfParts: parts.map((part) => part.rows),
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
