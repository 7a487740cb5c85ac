import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit, { type LimitFunction } from 'p-limit';
import { InvalidDatasetError, LedgerMismatchError } from '../core/errors.ts';
import type { Dataset, PlannedPart, Slice, SliceRead } from '../core/part.ts';
import type { S3Uri } from '../core/s3-uri.ts';
import { type DuckDb, openDuckDb } from './duckdb.ts';
import {
  copyToParquet,
  LARGE_ROW_GROUP_BYTES,
  MIN_ROW_GROUP_ROWS,
  type ParquetLayout,
  readParquetLayout,
} from './parquet.ts';
import type { SourceFile } from './source-bytes.ts';
import { parseSourceName } from './source-name.ts';
import { openRelations, plainJsonlSql } from './source-relation.ts';

/** How much larger packed values are guessed to be in memory. */
const PACKED_FACTOR = 3;
/** How much larger they may be. */
const MOST_PACKED = 100;
/** Most bytes of rows to copy from Parquet files at once, lest the disk of a Lambda be full. */
export const MOST_COPIED_BYTES = 2_000_000_000;
/** Ranges that are read at once where their row groups are small. */
const READS_AT_ONCE = 2;

/** Memory that DuckDB may use to copy Parquet files: pages of up to 100 MB, packed and unpacked. */
const STAGE_PARQUET_MEMORY_MB = 512;
/** For text files; its CSV reader keeps what it has read for as long as there is room. */
const STAGE_TEXT_MEMORY_MB = 256;

/** Which rows are to be readable from the middle. */
export interface StageRequest {
  slice: Slice;
  dataset: Dataset;
  /** The local file of a dataset file. */
  fileOf: (uri: S3Uri) => SourceFile;
  scratchDirectory: string;
}

/** Rows of a Parquet file, and the global number of the first. */
export interface StagedRange {
  file: Pick<SourceFile, 'path' | 'fetchRows'>;
  firstInFile: number;
  rows: number;
  firstRow: number;
}

/** A slice's rows as Parquet, for as long as it is not disposed of. */
export interface StagedSlice extends AsyncDisposable {
  ranges: StagedRange[];
  /** Reads no more ranges at once than there is memory for. */
  limit: LimitFunction;
}

/**
 * The slice as Parquet: the files themselves; copies of text files, which can only be read from their start; and
 * copies of Parquet files of which each part would unpack nearly everything.
 */
export async function stageSlice(request: StageRequest): Promise<StagedSlice> {
  const { slice, dataset, fileOf, scratchDirectory } = request;
  const memoryMb = dataset.format === 'parquet' ? STAGE_PARQUET_MEMORY_MB : STAGE_TEXT_MEMORY_MB;
  // Of its own, as it gives its memory back when it is done. One thread: two would hold twice the memory.
  await using db = await openDuckDb({ memoryMb, threads: 1, scratchDirectory });
  const ranges: StagedRange[] = [];
  const copies: string[] = [];
  let readsAtOnce = READS_AT_ONCE;
  let copiedBytes = 0;
  const removeCopies = async () => {
    await Promise.all(copies.map((path) => rm(path, { force: true })));
  };
  try {
    for (const read of slice.reads) {
      const layout = await layoutOf(db, read, request);
      const { hasLargePages = false, largestRowGroupBytes = 0, bytes = 0 } = layout ?? {};
      if (dataset.format !== 'parquet' || (hasLargePages && copiedBytes + bytes <= MOST_COPIED_BYTES)) {
        copiedBytes += bytes;
        const nextPath = () => {
          const path = join(scratchDirectory, `staged-${copies.length}.parquet`);
          copies.push(path);
          return path;
        };
        ranges.push(...(await copyRange(db, request, { read, nextPath })));
      } else {
        if (largestRowGroupBytes > LARGE_ROW_GROUP_BYTES) readsAtOnce = 1;
        const { first_row_in_file: firstInFile, rows, first_row: firstRow } = read;
        ranges.push({ file: fileOf(read.uri), firstInFile, rows, firstRow });
      }
    }
  } catch (error) {
    await removeCopies();
    throw error;
  }
  return { ranges, limit: pLimit(readsAtOnce), [Symbol.asyncDispose]: removeCopies };
}

/** The layout of a Parquet file's rows that are read; of a small file there is nothing to know. */
async function layoutOf(
  db: DuckDb,
  { uri, rows }: SliceRead,
  { dataset, fileOf }: StageRequest,
): Promise<ParquetLayout | undefined> {
  const file = dataset.files.find((candidate) => candidate.uri === uri);
  if (dataset.format !== 'parquet' || file === undefined) return undefined;
  if (file.bytes * MOST_PACKED <= LARGE_ROW_GROUP_BYTES) return undefined;
  const layout = await readParquetLayout(db, fileOf(uri).path);
  return { ...layout, bytes: (layout.bytes * rows) / Math.max(1, file.rows) };
}

async function copyRange(
  db: DuckDb,
  { dataset, fileOf, scratchDirectory }: StageRequest,
  { read, nextPath }: { read: SliceRead; nextPath: () => string },
): Promise<StagedRange[]> {
  const { uri, rows, first_row, first_row_in_file } = read;
  const { format, files } = dataset;
  const columns = dataset.columns.map(({ name }) => name);
  const range = { ...fileOf(uri), firstRow: first_row_in_file, rows };
  await using _held = await range.hold?.();
  const bytesPerRow = estimateBytesPerRow(dataset);
  const copy = async (sql: string, firstRow: number): Promise<StagedRange> => {
    const path = nextPath();
    const copied = await copyToParquet(db, {
      sql,
      path,
      compression: 'uncompressed',
      bytesPerRow,
      rowGroupRows: MIN_ROW_GROUP_ROWS,
    });
    return { file: { path }, firstInFile: 0, rows: copied, firstRow };
  };
  if (files.find((file) => file.uri === uri)?.plain === true) {
    // What DuckDB refuses is read line by line.
    const copied = await copy(plainJsonlSql(range, columns), first_row).catch(() => undefined);
    if (copied?.rows === rows) return [copied];
  }
  const copies: StagedRange[] = [];
  let firstRow = first_row;
  for await (const relation of openRelations({ format, columns, range, scratchDirectory })) {
    const copied = await copy(relation.sql, firstRow).catch((error: unknown) => {
      throw new InvalidDatasetError(
        `${uri} cannot be read any more as it was when the run was planned: ${(error as Error).message.slice(0, 1000)}`,
        { cause: error },
      );
    });
    expectRows(copied.rows, relation.rows, uri);
    firstRow += copied.rows;
    copies.push(copied);
  }
  expectRows(firstRow - first_row, rows, uri);
  return copies;
}

/** The pieces of the ranges that lie within a part. */
export function rangesWithin(ranges: readonly StagedRange[], part: PlannedPart): StagedRange[] {
  const within = ranges.flatMap((range) => {
    const start = Math.max(range.firstRow, part.first_row);
    const end = Math.min(range.firstRow + range.rows, part.first_row + part.rows);
    if (start >= end) return [];
    return [
      {
        file: range.file,
        firstInFile: range.firstInFile + start - range.firstRow,
        rows: end - start,
        firstRow: start,
      },
    ];
  });
  expectRows(
    within.reduce((sum, { rows }) => sum + rows, 0),
    part.rows,
    `the slice's files for part ${part.part_id}`,
  );
  return within;
}

/** Bytes of a row in memory, guessed from the files' sizes. */
export function estimateBytesPerRow({ files, rows }: Dataset): number {
  const bytes = files.reduce((sum, file) => {
    const { format, compression } = parseSourceName(file.uri) ?? { format: 'csv', compression: 'none' };
    return sum + file.bytes * (format === 'parquet' || compression !== 'none' ? PACKED_FACTOR : 1);
  }, 0);
  return bytes / Math.max(1, rows);
}

/** Throws LedgerMismatchError where there are not as many rows as there should be. */
export function expectRows(actual: number, expected: number, what: string): void {
  if (actual !== expected) {
    throw new LedgerMismatchError(
      `${what} has ${actual} rows where ${expected} were expected. Was the dataset changed after the run was planned? Start a new run.`,
    );
  }
}
