import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { InvalidDatasetError } from '../../core/errors.ts';
import type { Dataset, PlannedPart, PreparedPart, Slice } from '../../core/plan/part.ts';
import { readsOf } from '../../core/plan/slice-reads.ts';
import type { S3Uri } from '../../core/s3-uri.ts';
import type { RecordFrame } from '../../models/record-frame.ts';
import { countLines } from '../bytes/lines-file.ts';
import type { SourceFile } from '../bytes/source-bytes.ts';
import { type DuckDb, isUnreadableContent, openDuckDb, sqlName } from '../duckdb/duckdb.ts';
import { copyToParquet, type ParquetCopy, readParquetsSql, WORKING_ROW_GROUPS } from '../duckdb/parquet.ts';
import type { RowMedia } from '../media/media-records.ts';
import { readingRows } from '../sources/damaged-source.ts';
import { expectRows } from '../sources/expect-rows.ts';
import type { SourceRelation } from '../sources/source-relation.ts';
import { writeRecords } from './part-records.ts';
import type { PrepareMemory } from './prepare-memory.ts';
import {
  ERROR_CODE_COLUMN,
  hashedNames,
  RECORD_ID_COLUMN,
  recordIdSql,
  requestHashSql,
  unaskedCodeSql,
} from './record-sql.ts';
import { openPartSource, type PartSource, reopenPart } from './row-feed.ts';
import { estimateBytesPerRow, MOST_COPIED_BYTES } from './staged-slice.ts';
import { markUnsent, ROW_COLUMN, type UnsentRows } from './unsent-rows.ts';

/** Most bytes that a part may well have while one more is begun: all their files lie in the scratch directory. */
const SMALL_PART_BYTES = 256_000_000;

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
  /** Of the parts' rows: for a disk none, as it costs more time than it saves; for a network it is worth its time. */
  rowsCompression: ParquetCopy['compression'];
  /** Where not every row is sent: whom they ask, and which rows are answered elsewhere, or are already. */
  unsent?: UnsentRows | undefined;
  /** What the model takes of images and documents, and who reads them; undefined where rows have none. */
  media?: RowMedia | undefined;
  scratchDirectory: string;
  /** Called once per part, in order; the callee moves the files away. */
  emit: (part: PreparedPart, files: { recordsPath: string; rowsPath: string }) => Promise<void>;
  /** True for parts that exist already. */
  skip?: (part: PlannedPart) => boolean;
}

/**
 * Reads a slice once and leaves each part's records, as JSONL, and its rows, as Parquet. Throws
 * LedgerMismatchError where a file does not have the rows that it was written with, and InvalidDatasetError where rows are
 * too large.
 */
export async function prepareSlice(request: PrepareRequest): Promise<void> {
  const { slice, scratchDirectory, skip, dataset } = request;
  const wanted = slice.parts.filter((part) => skip?.(part) !== true);
  await mkdir(scratchDirectory, { recursive: true });
  try {
    for (const stretch of stretchesOf(wanted, request)) {
      await using source = await openPartSource({ ...request, slice: stretch }, stretch.parts);
      // One thread for each statement: several parts are written at once.
      await using db = await openDuckDb({ memoryMb: source.memory.memoryMb, threads: 1, scratchDirectory });
      await prepareParts(db, request, { parts: stretch.parts, source });
    }
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('Out of Memory Error'))) throw error;
    const advice =
      dataset.format === 'parquet'
        ? 'Of Parquet, 2,048 rows are handled at once: convert the dataset to JSONL or CSV, of which fewer are.'
        : 'Leave long values out, or split them.';
    throw new InvalidDatasetError(
      `The dataset’s rows are too large for the memory that Prepare has for them. ${advice}`,
      { cause: error },
    );
  }
}

/**
 * Runs of parts, and what each of them reads. Of Parquet files, as many as can well be copied at once; text files are
 * read from their start, so a run that began in the middle would read them again.
 */
function stretchesOf(parts: readonly PlannedPart[], { slice, dataset }: PrepareRequest): Slice[] {
  const stretches: PlannedPart[][] = [];
  let rowsLeft = 0;
  for (const part of parts) {
    const last = stretches.at(-1);
    if (last === undefined || (dataset.format === 'parquet' && part.rows > rowsLeft)) {
      stretches.push([part]);
      rowsLeft = Math.floor(MOST_COPIED_BYTES / estimateBytesPerRow(dataset)) - part.rows;
    } else {
      last.push(part);
      rowsLeft -= part.rows;
    }
  }
  return stretches.map((run) => ({ ...slice, parts: run, reads: readsOf(dataset, run) }));
}

/** Writes the parts and emits them in order. The next ones are written meanwhile: each statement has one thread. */
async function prepareParts(
  db: DuckDb,
  request: PrepareRequest,
  { parts, source }: { parts: readonly PlannedPart[]; source: PartSource },
): Promise<void> {
  const writing: Promise<number>[] = [];
  const { partsAtOnce } = source.memory;
  const limit = pLimit(partsAtOnce);
  const ahead = partsAtOnce + (areSmall(parts, request.dataset) ? 1 : 0);
  const begin = (part: PlannedPart | undefined): void => {
    if (part === undefined) return;
    const records = limit(() => writePart(db, request, { part, source }));
    // Should another part fail first, this one's failure is of no interest.
    records.catch(() => {});
    writing.push(records);
  };
  for (const part of parts.slice(0, ahead)) begin(part);
  try {
    for (const [index, part] of parts.entries()) {
      await emitPart(db, request, { part, source, records: (await writing[index]) ?? 0 });
      begin(parts[index + ahead]);
    }
  } finally {
    await Promise.allSettled(writing);
    await Promise.all(parts.map((part) => removeFiles(request, part)));
  }
}

/** True where one more part can be written while another is looked through and moved away. */
function areSmall(parts: readonly PlannedPart[], dataset: Dataset): boolean {
  const mostRows = Math.max(...parts.map(({ rows }) => rows));
  return mostRows * estimateBytesPerRow(dataset) <= SMALL_PART_BYTES;
}

/** Writes a part's rows and its records; the number of these. */
async function writePart(
  db: DuckDb,
  request: PrepareRequest,
  { part, source }: { part: PlannedPart; source: PartSource },
): Promise<number> {
  await source.limit(async () => {
    await using taken = await source.take(part);
    await writeRows(db, request, { part, relations: taken.relations, memory: source.memory });
  });
  return await writeRecords(db, request, {
    part,
    ...filesOf(request, part),
    rowGroups: rowGroupsOf(source.memory),
  });
}

/** A row group is read at once later on. */
function rowGroupsOf({ rowsAtOnce }: PrepareMemory): typeof WORKING_ROW_GROUPS {
  const { rows, bytes } = WORKING_ROW_GROUPS;
  return { rows: Math.min(rows, rowsAtOnce ?? rows), bytes };
}

/** Emits a part that is written, or its halves where it is too large. */
async function emitPart(
  db: DuckDb,
  request: PrepareRequest,
  { part, source, records }: { part: PlannedPart; source: PartSource; records: number },
): Promise<void> {
  const { recordsPath, rowsPath } = filesOf(request, part);
  expectRows(await countLines(recordsPath), records, `the JSONL of part ${part.part_id}`);
  const bytes = (await stat(recordsPath)).size;
  if (bytes <= request.maxBytes) {
    const { part_id, variant, first_row, rows } = part;
    await request.emit({ part_id, variant, first_row, rows, records, bytes }, { recordsPath, rowsPath });
    await removeFiles(request, part);
    return;
  }
  const parts = halvesOf(part, request.maxBytes).filter((half) => request.skip?.(half) !== true);
  const wholePath = `${rowsPath}.whole`;
  await rename(rowsPath, wholePath);
  await using whole = reopenPart(wholePath, part, source.memory);
  await removeFiles(request, part);
  await prepareParts(db, request, { parts, source: whole });
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

function halvesOf({ part_id, variant, first_row, rows }: PlannedPart, maxBytes: number): PlannedPart[] {
  if (rows === 1) {
    throw new InvalidDatasetError(
      `The record of row ${first_row} has more than ${maxBytes} bytes, the most that a job's input file may have. Shorten the row or leave it out.`,
    );
  }
  const left = Math.ceil(rows / 2);
  return [
    { part_id: `${part_id}a`, variant, first_row, rows: left },
    { part_id: `${part_id}b`, variant, first_row: first_row + left, rows: rows - left },
  ];
}

/** Writes a part's rows, with their record ids, and marks those that have no prompt. */
async function writeRows(
  db: DuckDb,
  request: PrepareRequest,
  {
    part,
    relations,
    memory,
  }: { part: PlannedPart; relations: readonly SourceRelation[]; memory: PrepareMemory },
): Promise<void> {
  const { dataset, unsent, rowsCompression } = request;
  const rowGroups = rowGroupsOf(memory);
  const { rowsPath } = filesOf(request, part);
  const bytesPerRow = estimateBytesPerRow(dataset);
  const copy = (sql: string, path: string, compression: ParquetCopy['compression']) =>
    copyToParquet(db, { sql, path, compression, bytesPerRow, rowGroups });
  const copyPart = (sql: string) =>
    copy(unsent === undefined ? sql : markUnsent(sql, unsent, part), rowsPath, rowsCompression);
  const [relation, ...others] = relations;
  if (relation !== undefined && others.length === 0) {
    await copyRelation(db, request, { relation, copy: copyPart });
    return;
  }
  const pieces: string[] = [];
  try {
    // Not by UNION ALL: on one thread, COPY takes turns at what it joins.
    for (const piece of relations) {
      const path = `${rowsPath}.${pieces.length}`;
      pieces.push(path);
      await copyRelation(db, request, {
        relation: piece,
        copy: (sql) => copy(sql, path, 'uncompressed'),
      });
    }
    expectRows(await copyPart(`SELECT * FROM ${readParquetsSql(pieces)}`), part.rows, `part ${part.part_id}`);
  } finally {
    await Promise.all(pieces.map((piece) => rm(piece, { force: true })));
  }
}

/** Copies rows of a dataset file, as `writeRows` wants them. */
async function copyRelation(
  db: DuckDb,
  request: PrepareRequest,
  { relation, copy }: { relation: SourceRelation; copy: (sql: string) => Promise<number> },
): Promise<void> {
  const { name, rows, spell } = relation;
  const copied = await readingRows(db, relation, () =>
    copy(rowsSql(request, relation)).catch(async (error: unknown) => {
      if (!isUnreadableContent(error) && !isColumnMissing(error)) throw error;
      if (spell !== undefined) return await copy(rowsSql(request, await spell()));
      if (!isColumnMissing(error)) throw error;
      throw new InvalidDatasetError(
        `${name} no longer has the columns that it had when the run was planned. Start a new run.`,
        { cause: error },
      );
    }),
  );
  expectRows(copied, rows, name);
}

function isColumnMissing(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('Binder Error: Referenced column');
}

/** SQL for the rows of a relation and what is added to them. */
function rowsSql(
  { dataset, frame, recordIdColumn, unsent }: PrepareRequest,
  { from, rowNumber }: Pick<SourceRelation, 'from' | 'rowNumber'>,
): string {
  const columns = [
    ...dataset.columns.map(({ name }) => sqlName(name)),
    `${recordIdSql(dataset.columns, { recordIdColumn, rowNumber })} AS ${RECORD_ID_COLUMN}`,
    `${unaskedCodeSql(frame, dataset.columns)} AS ${ERROR_CODE_COLUMN}`,
    ...(unsent === undefined ? [] : [`${rowNumber} AS ${ROW_COLUMN}`]),
  ];
  const sql = `SELECT ${columns.join(', ')} FROM ${from}`;
  if (unsent === undefined) return sql;
  const request = { frame, asked: unsent.asked, columns: dataset.columns };
  return requestHashSql(request, {
    from: `(${sql})`,
    kept: [`* EXCLUDE (${hashedNames(frame).join(', ')})`],
  });
}
