import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidDatasetError, LedgerMismatchError } from '../core/errors.ts';
import type { Dataset, PlannedPart, PreparedPart, Slice } from '../core/part.ts';
import { DUPLICATE_REQUEST } from '../core/retry-policy.ts';
import type { S3Uri } from '../core/s3-uri.ts';
import type { RecordFrame } from '../models/record-frame.ts';
import { type DuckDb, openDuckDb, sqlName, sqlText } from './duckdb.ts';
import { countLines, writeLines } from './lines-file.ts';
import { copyToParquet, parquetRangeSql, readParquetSql } from './parquet.ts';
import {
  CANONICAL_ID_COLUMN,
  CANONICAL_ROW_COLUMN,
  ERROR_CODE_COLUMN,
  isPromptNullSql,
  NULL_PROMPT_VALUE,
  promptSql,
  RECORD_ID_COLUMN,
  recordIdSql,
  recordLinesSql,
} from './record-sql.ts';
import { duplicatesSql } from './request-index.ts';
import type { SourceFile } from './source-bytes.ts';
import { parseSourceName } from './source-name.ts';
import { openRelation } from './source-relation.ts';

/** Memory that DuckDB may use for one slice. */
export const PREPARE_MEMORY_MB = 512;
/** How much larger packed values are guessed to be in memory. */
const PACKED_FACTOR = 3;

/** What to prepare, and where to. */
export interface PrepareRequest {
  slice: Slice;
  dataset: Dataset;
  /** The local file of a dataset file. */
  fileOf: (uri: S3Uri) => SourceFile;
  frame: RecordFrame;
  /** Undefined: `recordIdOf` the global row number. */
  recordIdColumn: string | undefined;
  /** Most bytes of a part's JSONL. A larger part is split in two: `<part_id>a` and `<part_id>b`, again if need be. */
  maxBytes: number;
  /** Where identical requests are sent once: what `RequestIndex.save` wrote. */
  duplicatesPath?: string;
  scratchDirectory: string;
  /** Called once per part, in order; the callee moves the files away. */
  emit: (part: PreparedPart, files: { recordsPath: string; rowsPath: string }) => Promise<void>;
  /** True for parts that exist already. */
  skip?: (part: PlannedPart) => boolean;
}

/** A row's global number, while duplicates are looked up by it. */
const ROW_COLUMN = '__quarry_row';

/** Rows of a Parquet file, and the global number of the first. */
interface StagedRange {
  file: Pick<SourceFile, 'path' | 'fetchRows'>;
  firstInFile: number;
  rows: number;
  firstRow: number;
}

/**
 * Reads a slice once and leaves each part's records, as JSONL, and its rows, as Parquet. Throws
 * LedgerMismatchError where a file does not have the rows that it was written with.
 */
export async function prepareSlice(request: PrepareRequest): Promise<void> {
  const { slice, scratchDirectory, skip } = request;
  const wanted = slice.parts.filter((part) => skip?.(part) !== true);
  if (wanted.length === 0) return;
  await mkdir(scratchDirectory, { recursive: true });
  const ranges = await stageSlice(request);
  try {
    await using db = await openDuckDb({ memoryMb: PREPARE_MEMORY_MB, threads: 1, scratchDirectory });
    await prepareParts(db, request, { parts: wanted, ranges });
  } finally {
    if (request.dataset.format !== 'parquet') {
      await Promise.all(ranges.map(({ file }) => rm(file.path, { force: true })));
    }
  }
}

/** The slice as Parquet: the files themselves, or copies of text files, which can only be read from their start. */
async function stageSlice({
  slice,
  dataset,
  fileOf,
  scratchDirectory,
}: PrepareRequest): Promise<StagedRange[]> {
  const { format } = dataset;
  if (format === 'parquet') {
    return slice.reads.map((read) => ({
      file: fileOf(read.uri),
      firstInFile: read.first_row_in_file,
      rows: read.rows,
      firstRow: read.first_row,
    }));
  }
  const columns = dataset.columns.map(({ name }) => name);
  const bytesPerRow = estimateBytesPerRow(dataset);
  // One thread: the source is serial anyway, and two hold twice the memory.
  await using db = await openDuckDb({ memoryMb: PREPARE_MEMORY_MB, threads: 1, scratchDirectory });
  const ranges: StagedRange[] = [];
  for (const [index, read] of slice.reads.entries()) {
    const { uri, rows } = read;
    const path = join(scratchDirectory, `staged-${index}.parquet`);
    const range = { ...fileOf(uri), firstRow: read.first_row_in_file, rows };
    await using relation = await openRelation({ format, columns, range, scratchDirectory });
    const copied = await copyToParquet(db, {
      sql: relation.sql,
      path,
      compression: 'uncompressed',
      bytesPerRow,
    }).catch((error: unknown) => {
      throw new InvalidDatasetError(
        `${uri} cannot be read any more as it was when the run was planned: ${(error as Error).message.slice(0, 1000)}`,
        { cause: error },
      );
    });
    expectRows(copied, rows, uri);
    ranges.push({ file: { path }, firstInFile: 0, rows, firstRow: read.first_row });
  }
  return ranges;
}

/**
 * Writes the parts, in order. While a part's records are written from its rows, the next part's rows are read
 * already: two statements at once, of which only one holds row groups of the dataset's, which may be large.
 */
async function prepareParts(
  db: DuckDb,
  request: PrepareRequest,
  { parts, ranges }: { parts: readonly PlannedPart[]; ranges: readonly StagedRange[] },
): Promise<void> {
  let rowsReady: Promise<void> | undefined;
  try {
    for (const [index, part] of parts.entries()) {
      await (rowsReady ?? writeRows(db, request, { part, ranges }));
      const next = parts[index + 1];
      rowsReady = next === undefined ? undefined : writeRows(db, request, { part: next, ranges });
      // Should this part fail first, that one's failure is of no interest.
      rowsReady?.catch(() => {});
      await preparePart(db, request, { part, ranges });
    }
  } finally {
    await rowsReady?.catch(() => {});
    await Promise.all(parts.map((part) => removeFiles(request, part)));
  }
}

/** Writes a part's records and emits it, or its halves where it is too large. Its rows are there. */
async function preparePart(
  db: DuckDb,
  request: PrepareRequest,
  { part, ranges }: { part: PlannedPart; ranges: readonly StagedRange[] },
): Promise<void> {
  const { recordsPath, rowsPath } = filesOf(request, part);
  const records = await writeRecords(db, request, part);
  const bytes = (await stat(recordsPath)).size;
  if (bytes <= request.maxBytes) {
    const { part_id, first_row, rows } = part;
    await request.emit({ part_id, first_row, rows, records, bytes }, { recordsPath, rowsPath });
    await removeFiles(request, part);
    return;
  }
  await removeFiles(request, part);
  const parts = halvesOf(part, request.maxBytes).filter((half) => request.skip?.(half) !== true);
  await prepareParts(db, request, { parts, ranges });
}

function filesOf({ scratchDirectory }: PrepareRequest, { part_id }: PlannedPart) {
  return {
    recordsPath: join(scratchDirectory, `${part_id}.jsonl`),
    rowsPath: join(scratchDirectory, `${part_id}.rows.parquet`),
  };
}

async function removeFiles(request: PrepareRequest, part: PlannedPart): Promise<void> {
  const { recordsPath, rowsPath } = filesOf(request, part);
  await Promise.all([rm(recordsPath, { force: true }), rm(rowsPath, { force: true })]);
}

function halvesOf({ part_id, first_row, rows }: PlannedPart, maxBytes: number): PlannedPart[] {
  if (rows === 1) {
    throw new InvalidDatasetError(
      `The record of row ${first_row} has more than ${maxBytes} bytes, the most that a job's input file may have. Shorten the row or leave it out.`,
    );
  }
  const left = Math.ceil(rows / 2);
  return [
    { part_id: `${part_id}a`, first_row, rows: left },
    { part_id: `${part_id}b`, first_row: first_row + left, rows: rows - left },
  ];
}

/** Writes a part's rows, with their record ids, and marks those that have no prompt. */
async function writeRows(
  db: DuckDb,
  request: PrepareRequest,
  { part, ranges }: { part: PlannedPart; ranges: readonly StagedRange[] },
): Promise<void> {
  const { dataset, frame, recordIdColumn } = request;
  const { columns } = dataset;
  const within = rangesWithin(ranges, part);
  const names = columns.map(({ name }) => name);
  for (const { file, firstInFile, rows } of within) {
    await file.fetchRows?.(names, { firstRow: firstInFile, rows });
  }
  const sql = within
    .map(({ file, firstInFile, rows, firstRow }) => {
      const rowNumber = `(file_row_number + ${firstRow - firstInFile})`;
      const selected = [
        ...names.map(sqlName),
        `${recordIdSql(columns, { recordIdColumn, rowNumber })} AS ${RECORD_ID_COLUMN}`,
        `CASE WHEN ${isPromptNullSql(frame)} THEN ${sqlText(NULL_PROMPT_VALUE)} END AS ${ERROR_CODE_COLUMN}`,
        ...(request.duplicatesPath === undefined ? [] : [`${rowNumber} AS ${ROW_COLUMN}`]),
      ];
      return parquetRangeSql(selected.join(', '), { path: file.path, firstRow: firstInFile, rows });
    })
    .join(' UNION ALL ');
  const bytesPerRow = estimateBytesPerRow(dataset);
  const { rowsPath: path } = filesOf(request, part);
  const copied = await copyToParquet(db, {
    sql: request.duplicatesPath === undefined ? sql : markDuplicates(sql, request.duplicatesPath, part),
    path,
    compression: 'snappy',
    bytesPerRow,
  });
  expectRows(copied, part.rows, `part ${part.part_id}`);
}

/** The rows, with the records whose answers they get where they are duplicates; sorted, as a join promises no order. */
function markDuplicates(sql: string, duplicatesPath: string, { first_row, rows }: PlannedPart): string {
  const duplicates = duplicatesSql(duplicatesPath, { firstRow: first_row, rows });
  return `SELECT input.* EXCLUDE (${ROW_COLUMN}) REPLACE (CASE WHEN duplicate.canonical_id IS NULL THEN ${ERROR_CODE_COLUMN} ELSE ${sqlText(DUPLICATE_REQUEST)} END AS ${ERROR_CODE_COLUMN}),
      duplicate.canonical_id AS ${CANONICAL_ID_COLUMN}, duplicate.canonical_row AS ${CANONICAL_ROW_COLUMN}
    FROM (${sql}) AS input LEFT JOIN (${duplicates}) AS duplicate ON duplicate."row" = input.${ROW_COLUMN} ORDER BY input.${ROW_COLUMN}`;
}

/** Writes a part's records from its rows; their number. */
async function writeRecords(db: DuckDb, request: PrepareRequest, part: PlannedPart): Promise<number> {
  const { frame, dataset } = request;
  const { recordsPath, rowsPath } = filesOf(request, part);
  const sent = `SELECT ${RECORD_ID_COLUMN}, ${promptSql(frame, dataset.columns)} AS prompt FROM ${readParquetSql(rowsPath)} WHERE ${ERROR_CODE_COLUMN} IS NULL`;
  const lines = recordLinesSql(frame, { recordId: RECORD_ID_COLUMN, prompt: 'prompt', from: sent });
  const records = await writeLines(db, lines, recordsPath);
  const written = await db.row(
    `SELECT CAST(count(*) AS DOUBLE) AS "rows", CAST(count(*) - count(${ERROR_CODE_COLUMN}) AS DOUBLE) AS sent FROM ${readParquetSql(rowsPath)}`,
  );
  expectRows(Number(written.rows), part.rows, `part ${part.part_id}`);
  expectRows(records, Number(written.sent), `the records of part ${part.part_id}`);
  expectRows(await countLines(recordsPath), records, `the JSONL of part ${part.part_id}`);
  return records;
}

/** The pieces of the ranges that lie within a part. */
function rangesWithin(ranges: readonly StagedRange[], part: PlannedPart): StagedRange[] {
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
function estimateBytesPerRow({ files, rows }: Dataset): number {
  const bytes = files.reduce((sum, file) => {
    const { format, compression } = parseSourceName(file.uri) ?? { format: 'csv', compression: 'none' };
    return sum + file.bytes * (format === 'parquet' || compression !== 'none' ? PACKED_FACTOR : 1);
  }, 0);
  return bytes / Math.max(1, rows);
}

function expectRows(actual: number, expected: number, what: string): void {
  if (actual !== expected) {
    throw new LedgerMismatchError(
      `${what} has ${actual} rows where ${expected} were expected. Was the dataset changed after the run was planned? Start a new run.`,
    );
  }
}
