import pLimit from 'p-limit';
import { givenName, isApart } from '../../core/plan/names-apart.ts';
import type { DatasetFormat } from '../../core/plan/part.ts';
import type { RowWindow, SourceFile } from '../bytes/source-bytes.ts';
import { sqlName } from '../duckdb/duckdb.ts';
import { type ParquetRange, parquetRangeSql, readParquetsSql } from '../duckdb/parquet.ts';
import { namesToRead } from '../parquet/column-renaming.ts';
import { createRowBringer } from '../parquet/page-counts.ts';
import { openCsvRelations } from './csv-relation.ts';
import { openJsonlRelations } from './jsonl-relation.ts';
import {
  type Company,
  canNumberFiles,
  nameOfSeveral,
  readTogether,
  SMALL_FILE_BYTES,
} from './small-files.ts';
import { compressionOf } from './source-name.ts';

/** Consecutive rows, in their order, for as long as it is not disposed of. */
export interface SourceRelation extends RowWindow, AsyncDisposable {
  /** What they are read from, for messages. */
  name: string;
  /** SQL that follows FROM: a query over it may select any of the columns, but neither filter nor sort them. */
  from: string;
  /** SQL for a row's number. */
  rowNumber: string;
  /** Where DuckDB may refuse what is read: makes the same readable in another way. */
  spell?: () => Promise<Pick<SourceRelation, 'from' | 'rowNumber'>>;
  /** Of rows of several files: what to call each, and a query of its rows alone. */
  members?: readonly { name: string; sql: string }[];
}

/** What to read of a file. */
export interface FileRead {
  file: SourceFile;
  /** Of the file, in order. No relation has rows of two of them. */
  windows: readonly RowWindow[];
  /** True for a text file of which DuckDB gives every value as the file has it, or refuses it: a key may be there twice. */
  isPlain?: boolean;
  /**
   * The number of the file's first row.
   * @default 0
   */
  firstRow?: number;
  /** Bytes of a file whose one window has all its rows: then a relation may have rows of its neighbours, too. */
  wholeBytes?: number | undefined;
  /** What its rows are for: no relation has rows for two. */
  purpose?: string;
}

/** What to read: these columns of rows of files of this format. */
export interface SourceRequest {
  format: DatasetFormat;
  columns: readonly string[];
  reads: readonly FileRead[];
  /** Begins the paths of pieces; no others' may begin so. */
  scratchPrefix: string;
}

/**
 * Makes rows of dataset files readable, piece by piece: each relation has the rows after those of the one before.
 * CSV and JSONL are read from a file's start, once; Parquet where the rows are. Small files are read together.
 */
export async function* openRelations(request: SourceRequest): AsyncGenerator<SourceRelation> {
  const { format, columns, reads, scratchPrefix } = request;
  let runs = 0;
  for (const run of readTogether(reads, (read) => companyOf(read, request), columns.length)) {
    runs += 1;
    const together = { columns, reads: run, scratchPrefix: `${scratchPrefix}${runs}-` };
    switch (format) {
      case 'parquet':
        yield* openParquetRelations(together);
        break;
      case 'csv':
        yield* openCsvRelations(together);
        break;
      case 'jsonl':
        yield* openJsonlRelations(together);
        break;
    }
  }
}

function companyOf(
  { file, isPlain = false, wholeBytes = Number.POSITIVE_INFINITY, purpose = '' }: FileRead,
  { format, columns }: Pick<SourceRequest, 'format' | 'columns'>,
): Company {
  const { uri, layout, drift = [], isUnpacked = false } = file;
  // What a Parquet column is widened to does not tell what it was.
  const canJoin =
    format !== 'parquet' || (drift.length === 0 && canNumberFiles(columns) && !columns.some(isApart));
  const key = JSON.stringify([purpose, isPlain, isUnpacked, compressionOf(uri), layout, drift]);
  return { key: canJoin && wholeBytes <= SMALL_FILE_BYTES ? key : undefined, bytes: wholeBytes };
}

/** Files whose rows are fetched at once. */
const CONCURRENT_FETCHES = 8;

/** A run of reads that `openRelations` found, of several files only where each is whole. */
export type TogetherRequest = Omit<SourceRequest, 'format'>;

async function* openParquetRelations({ columns, reads }: TogetherRequest): AsyncGenerator<SourceRelation> {
  const rangesOf = ({ file, windows, firstRow: first = 0 }: FileRead) =>
    windows.map(
      (window): NumberedRange => ({
        ...window,
        path: file.path,
        drift: file.drift,
        name: file.uri,
        number: first + window.firstRow,
      }),
    );
  await using held = new AsyncDisposableStack();
  for (const { file } of reads) held.use(await file.hold?.());
  const bringRows = createRowBringer();
  const given = columns.map(givenName);
  if (reads.length > 1) {
    await pLimit(CONCURRENT_FETCHES).map(reads, async ({ file, windows: [window] }) => {
      if (window !== undefined) await bringRows({ ...file, name: file.uri }, given, window);
    });
    yield parquetRelation(reads.flatMap(rangesOf), columns);
    return;
  }
  for (const read of reads) {
    const names = await namesToRead(read.file.path, columns);
    for (const range of rangesOf(read)) {
      await bringRows({ ...read.file, name: read.file.uri }, given, range);
      yield parquetRelation([{ ...range, names }], columns);
    }
  }
}

/** Rows of a Parquet file, and the number of the first. */
export interface NumberedRange extends ParquetRange {
  name: string;
  number: number;
}

/** Rows of a Parquet file; or of several, whole, of the same columns, that follow each other. */
export function parquetRelation(
  ranges: readonly NumberedRange[],
  columns: readonly string[],
): SourceRelation {
  const [first, ...others] = ranges;
  if (first === undefined) throw new Error('There is no range.');
  const numberOfFirst = ranges.map(({ number, firstRow }) => number - firstRow);
  const isAlone = others.length === 0;
  const selected = columns.map(sqlName).join(', ');
  return {
    name: nameOfSeveral(ranges.map(({ name }) => name)),
    firstRow: first.number,
    rows: ranges.reduce((sum, { rows }) => sum + rows, 0),
    from: isAlone ? parquetRangeSql(first) : readParquetsSql(ranges.map(({ path }) => path)),
    rowNumber: isAlone
      ? `(file_row_number + ${numberOfFirst[0]})`
      : `(file_row_number + [${numberOfFirst.join(', ')}][CAST(file_index AS BIGINT) + 1])`,
    ...(isAlone
      ? {}
      : {
          members: ranges.map((range) => ({
            name: range.name,
            sql: `SELECT ${selected} FROM ${parquetRangeSql(range)}`,
          })),
        }),
    [Symbol.asyncDispose]: async () => {},
  };
}
