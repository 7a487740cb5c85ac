import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit, { type LimitFunction } from 'p-limit';
import { LedgerMismatchError } from '../../core/errors.ts';
import { balancedRanges } from '../../core/plan/packing.ts';
import type { PlannedPart, SliceRead } from '../../core/plan/part.ts';
import type { RowWindow } from '../bytes/source-bytes.ts';
import { parquetRangeSql } from '../duckdb/parquet.ts';
import { openRelations, type SourceRelation } from '../sources/source-relation.ts';
import { type PrepareMemory, textMemoryFor } from './prepare-memory.ts';
import { type StagedRange, type StageRequest, stageSlice } from './staged-slice.ts';

/** The rows of a part, in relations one after the other, whose rows are numbered as the dataset's. */
export interface PartRows extends AsyncDisposable {
  relations: SourceRelation[];
}

/** Gives the rows of one part after the other. */
export interface PartSource extends AsyncDisposable {
  /** To be called for each part in turn; the rows of several may be held at once. */
  take(part: PlannedPart): Promise<PartRows>;
  /** Reads no more parts at once than there is memory for. */
  limit: LimitFunction;
  memory: PrepareMemory;
}

/** Makes the rows of parts of a slice readable: Parquet in its place, or in copies; text in pieces, as they are needed. */
export async function openPartSource(
  request: StageRequest,
  parts: readonly PlannedPart[],
): Promise<PartSource> {
  return request.dataset.format === 'parquet' ? openParquetParts(request) : openTextParts(request, parts);
}

async function openParquetParts(request: StageRequest): Promise<PartSource> {
  const { ranges, ...staged } = await stageSlice(request);
  const columns = request.dataset.columns.map(({ name }) => name);
  return {
    ...staged,
    take: async (part) => {
      const within = rangesWithin(ranges, part);
      for (const { file, firstInFile, rows } of within) {
        await file.fetchRows?.(columns, { firstRow: firstInFile, rows });
      }
      const relations = within.flatMap((range) => shortRangesOf(range, staged.memory)).map(relationOf);
      return { relations, [Symbol.asyncDispose]: async () => {} };
    },
  };
}

/** The rows of a part, as they were written, for parts of it; the file is removed in the end. */
export function reopenPart(
  path: string,
  { part_id, first_row, rows }: PlannedPart,
  memory: PrepareMemory,
): PartSource {
  const whole: StagedRange = {
    name: `part ${part_id}`,
    file: { path },
    firstInFile: 0,
    rows,
    firstRow: first_row,
  };
  return {
    take: async (part) => ({
      relations: rangesWithin([whole], part).map(relationOf),
      [Symbol.asyncDispose]: async () => {},
    }),
    limit: pLimit(memory.partsAtOnce),
    memory,
    [Symbol.asyncDispose]: () => rm(path, { force: true }),
  };
}

/** The range in as many pieces as its rows need that are read at once. */
function shortRangesOf(range: StagedRange, { rowsAtOnce = range.rows }: PrepareMemory): StagedRange[] {
  return balancedRanges(range, Math.ceil(range.rows / rowsAtOnce)).map(({ firstRow, rows }) => ({
    ...range,
    firstInFile: range.firstInFile + firstRow - range.firstRow,
    firstRow,
    rows,
  }));
}

function relationOf({ name, file, firstInFile, rows, firstRow }: StagedRange): SourceRelation {
  return {
    name,
    from: parquetRangeSql({ path: file.path, firstRow: firstInFile, rows, drift: file.drift }),
    rowNumber: `(file_row_number + ${firstRow - firstInFile})`,
    firstRow,
    rows,
    [Symbol.asyncDispose]: async () => {},
  };
}

/** The pieces of the ranges that lie within a part. */
function rangesWithin(ranges: readonly StagedRange[], part: PlannedPart): StagedRange[] {
  const within = ranges.flatMap((range) =>
    overlapOf(range, part).map(({ firstRow, rows }) => ({
      ...range,
      firstInFile: range.firstInFile + firstRow - range.firstRow,
      firstRow,
      rows,
    })),
  );
  expectRows(sumRows(within), part.rows, `the slice's files for part ${part.part_id}`);
  return within;
}

function openTextParts(request: StageRequest, parts: readonly PlannedPart[]): PartSource {
  const reading = readParts(request, parts);
  const memory = textMemoryFor(request.dataset.columns.length);
  return {
    take: async (part) => {
      const { value } = await reading.next();
      if (value?.part.part_id !== part.part_id)
        throw new Error(`It is not the turn of part ${part.part_id}.`);
      return value;
    },
    limit: pLimit(memory.partsAtOnce),
    memory,
    [Symbol.asyncDispose]: async () => {
      await reading.return(undefined);
    },
  };
}

/** Reads each file once, from its start, and gives the parts as soon as all their rows are there. */
async function* readParts(
  request: StageRequest,
  parts: readonly PlannedPart[],
): AsyncGenerator<PartRows & { part: PlannedPart }> {
  const [...ahead] = parts;
  let relations: SourceRelation[] = [];
  let rowsOfPart = 0;
  try {
    for (const [index, read] of request.slice.reads.entries()) {
      for await (const relation of openRead(request, index, { read, parts })) {
        relations.push(relation);
        rowsOfPart += relation.rows;
        const [part] = ahead;
        if (part === undefined || rowsOfPart < part.rows) continue;
        const whole = relations;
        ahead.shift();
        [relations, rowsOfPart] = [[], 0];
        yield { part, relations: whole, [Symbol.asyncDispose]: () => disposeAll(whole) };
      }
    }
  } finally {
    await disposeAll(relations);
  }
}

/** The rows of one file that parts want, numbered as the dataset's. */
async function* openRead(
  { dataset, fileOf, scratchDirectory }: StageRequest,
  index: number,
  { read, parts }: { read: SliceRead; parts: readonly PlannedPart[] },
): AsyncGenerator<SourceRelation> {
  const { uri, first_row_in_file: firstInFile, first_row: firstRow } = read;
  const before = firstRow - firstInFile;
  const windows = parts
    .flatMap((part) => overlapOf({ firstRow, rows: read.rows }, part))
    .map((window) => ({ ...window, firstRow: window.firstRow - before }));
  if (windows.length === 0) return;
  let rows = 0;
  const { plain, layout, drift } = dataset.files.find((file) => file.uri === uri) ?? {};
  for await (const relation of openRelations({
    format: dataset.format,
    columns: dataset.columns.map(({ name }) => name),
    file: {
      ...fileOf(uri),
      ...(layout === undefined ? {} : { layout }),
      ...(drift === undefined ? {} : { drift }),
    },
    windows,
    isPlain: plain === true,
    scratchPrefix: join(scratchDirectory, `text-${index}-`),
  })) {
    rows += relation.rows;
    yield {
      ...relation,
      firstRow: relation.firstRow + before,
      rowNumber: `(${relation.rowNumber} + ${before})`,
    };
  }
  expectRows(rows, sumRows(windows), uri);
}

async function disposeAll(relations: readonly SourceRelation[]): Promise<void> {
  await Promise.all(relations.map((relation) => relation[Symbol.asyncDispose]()));
}

/** The rows of a range of the dataset that a part has; empty where it has none. */
function overlapOf({ firstRow, rows }: RowWindow, part: PlannedPart): RowWindow[] {
  const start = Math.max(firstRow, part.first_row);
  const end = Math.min(firstRow + rows, part.first_row + part.rows);
  return start < end ? [{ firstRow: start, rows: end - start }] : [];
}

function sumRows(windows: readonly RowWindow[]): number {
  return windows.reduce((sum, { rows }) => sum + rows, 0);
}

/** Throws LedgerMismatchError where there are not as many rows as there should be. */
export function expectRows(actual: number, expected: number, what: string): void {
  if (actual !== expected) {
    throw new LedgerMismatchError(
      `${what} has ${actual} rows where ${expected} were expected. Was the dataset changed after the run was planned? Start a new run.`,
    );
  }
}
