import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidDatasetError, LedgerMismatchError } from '../core/errors.ts';
import type { Dataset, PlannedPart, PreparedPart, Slice } from '../core/part.ts';
import type { S3Uri } from '../core/s3-uri.ts';
import type { RecordFrame } from '../models/record-frame.ts';
import { type DuckDb, openDuckDb, sqlName, sqlText } from './duckdb.ts';
import { countLines, writeLines } from './lines-file.ts';
import { copyToParquet, parquetRangeSql, readParquetSql } from './parquet.ts';
import {
  ERROR_CODE_COLUMN,
  NULL_PROMPT_VALUE,
  promptSql,
  RECORD_ID_COLUMN,
  recordIdSql,
  recordLineSql,
} from './record-sql.ts';
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
  scratchDirectory: string;
  /** Called once per part, in order; the callee moves the files away. */
  emit: (part: PreparedPart, files: { recordsPath: string; rowsPath: string }) => Promise<void>;
  /** True for parts that exist already. */
  skip?: (part: PlannedPart) => boolean;
}

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
    await using db = await openDuckDb({ memoryMb: PREPARE_MEMORY_MB, threads: 2, scratchDirectory });
    for (const part of wanted) await preparePart(db, request, { part, ranges });
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

async function preparePart(
  db: DuckDb,
  request: PrepareRequest,
  { part, ranges }: { part: PlannedPart; ranges: readonly StagedRange[] },
): Promise<void> {
  const { scratchDirectory, maxBytes } = request;
  const recordsPath = join(scratchDirectory, `${part.part_id}.jsonl`);
  const rowsPath = join(scratchDirectory, `${part.part_id}.rows.parquet`);
  try {
    const { records, bytes } = await writePart(db, request, { part, ranges, recordsPath, rowsPath });
    if (bytes <= maxBytes) {
      const { part_id, first_row, rows } = part;
      await request.emit({ part_id, first_row, rows, records, bytes }, { recordsPath, rowsPath });
      return;
    }
  } finally {
    await Promise.all([recordsPath, rowsPath].map((path) => rm(path, { force: true })));
  }
  for (const half of halvesOf(part, maxBytes)) {
    if (request.skip?.(half) !== true) await preparePart(db, request, { part: half, ranges });
  }
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

async function writePart(
  db: DuckDb,
  { dataset, frame, recordIdColumn }: PrepareRequest,
  target: { part: PlannedPart; ranges: readonly StagedRange[]; recordsPath: string; rowsPath: string },
): Promise<{ records: number; bytes: number }> {
  const { part, ranges, recordsPath, rowsPath } = target;
  const { columns } = dataset;
  const bytesPerRow = estimateBytesPerRow(dataset);
  const prompt = promptSql(frame, columns);
  const within = rangesWithin(ranges, part);
  for (const { file, firstInFile, rows } of within) {
    const window = { firstRow: firstInFile, rows };
    await file.fetchRows?.(
      columns.map(({ name }) => name),
      window,
    );
  }
  const selectFrom = (expressions: (rowNumber: string) => string) =>
    within
      .map(({ file, firstInFile, rows, firstRow }) =>
        parquetRangeSql(expressions(`(file_row_number + ${firstRow - firstInFile})`), {
          path: file.path,
          firstRow: firstInFile,
          rows,
        }),
      )
      .join(' UNION ALL ');
  const recordId = (rowNumber: string) => recordIdSql(columns, { recordIdColumn, rowNumber });
  const rowsSql = selectFrom((rowNumber) =>
    [
      ...columns.map(({ name }) => sqlName(name)),
      `${recordId(rowNumber)} AS ${RECORD_ID_COLUMN}`,
      `CASE WHEN (${prompt}) IS NULL THEN ${sqlText(NULL_PROMPT_VALUE)} END AS ${ERROR_CODE_COLUMN}`,
    ].join(', '),
  );
  const lines = selectFrom((rowNumber) => `${recordId(rowNumber)} AS id, ${prompt} AS prompt`);
  const linesSql = `SELECT ${recordLineSql(frame, { recordId: 'id', prompt: 'prompt' })} AS line FROM (${lines}) WHERE prompt IS NOT NULL`;

  const [rows, records] = await settleBoth([
    copyToParquet(db, { sql: rowsSql, path: rowsPath, compression: 'snappy', bytesPerRow }),
    writeLines(db, linesSql, recordsPath),
  ]);
  expectRows(rows, part.rows, `part ${part.part_id}`);
  const written = await db.row(
    `SELECT CAST(count(*) AS INTEGER) AS "rows", CAST(count(*) - count(${ERROR_CODE_COLUMN}) AS INTEGER) AS sent FROM ${readParquetSql(rowsPath)}`,
  );
  expectRows(Number(written.rows), part.rows, `part ${part.part_id}`);
  expectRows(records, Number(written.sent), `the records of part ${part.part_id}`);
  expectRows(await countLines(recordsPath), records, `the JSONL of part ${part.part_id}`);
  return { records, bytes: (await stat(recordsPath)).size };
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

/** Both results; where one failed, throws only when the other is done with its file too. */
async function settleBoth<T, U>(both: readonly [Promise<T>, Promise<U>]): Promise<[T, U]> {
  await Promise.allSettled(both);
  return Promise.all(both);
}

function expectRows(actual: number, expected: number, what: string): void {
  if (actual !== expected) {
    throw new LedgerMismatchError(
      `${what} has ${actual} rows where ${expected} were expected. Was the dataset changed after the run was planned? Start a new run.`,
    );
  }
}
