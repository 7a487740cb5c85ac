import { addStopReasons, type StopReasonCounts } from '../../core/jobs/answer-flaws.ts';
import type { Column } from '../../core/plan/part.ts';
import type { Reason, RowCounts, TokenCounts } from '../../core/run/ledger.ts';
import type { RowWindow } from '../bytes/source-bytes.ts';
import { columnText, nestedJsonValue } from '../duckdb/column-text.ts';
import { type DuckDb, openDuckDb, sqlName, sqlPath, sqlText } from '../duckdb/duckdb.ts';
import { parquetRangeSql, readParquetsSql, readUnpackedBytes } from '../duckdb/parquet.ts';
import { createScratch } from '../duckdb/scratch.ts';
import { makeRoomForColumns } from '../duckdb/wide-rows.ts';
import { type GivenColumn, readGivenColumns } from '../parquet/column-renaming.ts';
import type { ResultColumns } from './result-columns.ts';

/** What a reader of results may use. */
export const READ_MEMORY_MB = 512;
/** Most rows of a page, and most bytes and values of its rows, as rows are on average. */
const PAGE = { rows: 1_000, bytes: 32_000_000, values: 200_000 };
/** Orders the rows of a page; the dataset may well have a column `place`. */
const PLACE_COLUMN = '__quarry_place';

/** How many rows Parquet files have together. */
export async function countRows(paths: string[]): Promise<number> {
  if (paths.length === 0) return 0;
  return withResults(async (db) => {
    const { rows } = await db.row(readCountSql(paths));
    return Number(rows);
  });
}

/** What result files say of their rows. */
export interface ResultLedger {
  rows: RowCounts;
  tokens: TokenCounts;
  reasons: Reason[];
  stop_reasons: StopReasonCounts[];
}

/**
 * Rows, tokens, reasons and how answers ended, of result files with these columns; `isWaiting` is SQL that is true of
 * rows which are answered elsewhere.
 */
export async function readLedger(
  db: DuckDb,
  paths: readonly string[],
  { columns, isWaiting = 'false' }: { columns: ResultColumns; isWaiting?: string },
): Promise<ResultLedger> {
  const files = readParquetsSql(paths);
  const hasAnswer = `error_code IS NULL AND NOT (${isWaiting})`;
  const reuses = columns.all.some(({ from }) => from === 'reused_from');
  const rows = await readRowCounts(db, paths, { hasAnswer, reuses });
  // A former run has paid for what is reused.
  const isPaid = reuses ? 'reused_from IS NULL' : 'true';
  const tokens = await db.row(
    `SELECT CAST(coalesce(sum(input_tokens), 0) AS DOUBLE) AS input, CAST(coalesce(sum(output_tokens), 0) AS DOUBLE) AS output FROM ${files} WHERE ${isPaid}`,
  );
  const reasons = await db.rows(`SELECT error_code, CAST(count(*) AS DOUBLE) AS "rows",
      arg_min(CAST(record_id AS VARCHAR), file_row_number) AS record_id, coalesce(arg_min(error_message, file_row_number), '') AS message
    FROM ${files} WHERE error_code IS NOT NULL GROUP BY error_code ORDER BY "rows" DESC, error_code`);
  const stopReasons =
    await db.rows(`SELECT stop_reason, CAST(count(*) AS DOUBLE) AS "rows", CAST(count(*) FILTER (${isEmptySql(columns)}) AS DOUBLE) AS empty
    FROM ${files} WHERE ${hasAnswer} GROUP BY stop_reason`);
  return {
    rows,
    stop_reasons: addStopReasons(
      stopReasons.map(({ stop_reason, rows: number, empty }) => ({
        stop_reason: stop_reason === null ? null : String(stop_reason),
        rows: Number(number),
        empty: Number(empty),
      })),
    ),
    tokens: { input: Number(tokens.input), output: Number(tokens.output) },
    reasons: reasons.map((reason) => ({
      error_code: String(reason.error_code),
      rows: Number(reason.rows),
      example_record_id: String(reason.record_id),
      example_message: String(reason.message),
    })),
  };
}

/** SQL that is true of an answer that is a text and has nothing but white space. */
function isEmptySql({ answer }: ResultColumns): string {
  return answer.type === 'VARCHAR' ? `trim(${sqlName(answer.name)}, E' \\t\\r\\n') = ''` : 'false';
}

/** A result file that is not here, or not all of it: what reads it says first which rows it wants. */
export interface RemoteResult extends AsyncDisposable {
  path: string;
  fetchRows(columns: readonly string[], window: RowWindow): Promise<void>;
}

/** The path of a result file, or what opens it when its turn comes. */
export type ResultFile = string | (() => Promise<RemoteResult>);

/** Which rows of result files are read. */
export interface ResultRows {
  /** The first N. @default all */
  head?: number | undefined;
  /** Only rows without an answer; of several variants, without one in any of them. */
  failedOnly?: boolean | undefined;
}

/** Which rows are read, and where they say that they have no answer. */
export interface ReadRequest extends ResultRows {
  /** @default `error_code` */
  errorColumns?: readonly string[] | undefined;
}

/** SQL that is true of rows without an answer. */
export function isFailedSql(errorColumns: readonly string[] = ['error_code']): string {
  return errorColumns.map((name) => `${sqlName(name)} IS NOT NULL`).join(' OR ');
}

/**
 * The rows of result files, in order, as values that `JSON.stringify` takes: integers that JavaScript does not
 * have exactly as decimal text; decimals, dates and blobs as in prompts; NaN and infinities as null.
 */
export async function* readResults(
  files: readonly ResultFile[],
  rows: ReadRequest,
): AsyncGenerator<Record<string, unknown>> {
  for await (const json of readResultTexts(files, rows)) yield JSON.parse(json, keepExact);
}

/** The same rows, each as one JSON object, whose integers have all their digits: a column has one type in every row. */
export async function* readResultTexts(
  files: readonly ResultFile[],
  { head = Number.POSITIVE_INFINITY, failedOnly = false, errorColumns }: ReadRequest,
): AsyncGenerator<string> {
  await using scratch = await createScratch();
  await using db = await openDuckDb({ memoryMb: READ_MEMORY_MB, threads: 2, scratchDirectory: scratch.path });
  let left = head;
  for (const source of files) {
    if (left <= 0) return;
    await using file = await openResult(source);
    const { path } = file;
    const columns = await readGivenColumns(db, path);
    const object = objectSql(columns);
    const { rows, bytes } = await readUnpackedBytes(db, path);
    await makeRoomForColumns(db, columns.length, READ_MEMORY_MB);
    const pageRows = pageRowsFor(bytes / Math.max(1, rows), columns.length);
    // Page by page, as DuckDB's streams end normally where a query fails.
    for (let firstRow = 0; firstRow < rows && left > 0; firstRow += pageRows) {
      await file.fetchRows(
        columns.map(({ given }) => given),
        { firstRow, rows: pageRows },
      );
      const page = `SELECT *, file_row_number AS ${PLACE_COLUMN} FROM ${parquetRangeSql({ path, firstRow, rows: pageRows })}`;
      const found = await db.rows(
        `SELECT ${object} AS json FROM (${page}) ${failedOnly ? `WHERE ${isFailedSql(errorColumns)}` : ''} ORDER BY ${PLACE_COLUMN} LIMIT ${Math.min(left, pageRows)}`,
      );
      left -= found.length;
      for (const { json } of found) yield soundJson(String(json));
    }
  }
}

function pageRowsFor(bytesPerRow: number, columns: number): number {
  const most = Math.min(PAGE.rows, PAGE.bytes / Math.max(1, bytesPerRow), PAGE.values / columns);
  return Math.max(1, Math.floor(most));
}

/** Opens a result file that is here, or what of it is fetched. */
export async function openResult(source: ResultFile): Promise<RemoteResult> {
  return typeof source === 'string' ? hereAlready(source) : await source();
}

/** Fetches these columns of all rows, as far as the file has them and they are not here. */
export async function fetchColumns(
  db: DuckDb,
  { path, fetchRows }: RemoteResult,
  columns: readonly string[],
): Promise<void> {
  const { rows } = await db.row(readCountSql([path]));
  await fetchRows(columns, { firstRow: 0, rows: Number(rows) });
}

/** A result file that is here. */
export function hereAlready(path: string): RemoteResult {
  return { path, fetchRows: async () => {}, [Symbol.asyncDispose]: async () => {} };
}

/** SQL for a row as JSON. */
function objectSql(columns: readonly GivenColumn[]): string {
  if (columns.every(({ name, given }) => name === given)) {
    const fields = columns.map((column) => `${sqlText(column.name)}: ${jsonValue(column)}`);
    return `CAST(to_json({${fields.join(', ')}}) AS VARCHAR)`;
  }
  // To DuckDB, a struct cannot have fields whose names differ by capitals alone.
  const members = columns.map(
    (column, place) =>
      `${sqlText(`${place === 0 ? '{' : ','}${JSON.stringify(column.given)}:`)}, coalesce(CAST(to_json(${jsonValue(column)}) AS VARCHAR), 'null')`,
  );
  return `concat(${members.join(', ')}, '}')`;
}

/** SQL for a value that `to_json` makes sound JSON of. */
function jsonValue(column: Column): string {
  const name = sqlName(column.name);
  if (column.type === 'DOUBLE') return `CASE WHEN isfinite(${name}) THEN ${name} END`;
  // By way of its text: the fewest digits of the FLOAT, not those of the DOUBLE that is as large.
  if (column.type === 'FLOAT')
    return `CASE WHEN isfinite(${name}) THEN CAST(CAST(${name} AS VARCHAR) AS DOUBLE) END`;
  if (/\]$|^(?:STRUCT|MAP)\b/.test(column.type)) return nestedJsonValue(column);
  if (/^(DECIMAL|DATE|TIME|BLOB)/.test(column.type)) return columnText(column);
  return name;
}

/** NaN and infinities within lists and structs as null. */
function soundJson(json: string): string {
  if (!/NaN|Infinity/.test(json)) return json;
  return json.replace(/"(?:[^"\\]|\\.)*"|-?(?:NaN|Infinity)/g, (token) =>
    token.startsWith('"') ? token : 'null',
  );
}

function keepExact(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  return /^-?\d+$/.test(context?.source ?? '') ? context?.source : value;
}

async function readRowCounts(
  db: DuckDb,
  paths: readonly string[],
  { hasAnswer, reuses }: { hasAnswer: string; reuses: boolean },
): Promise<RowCounts> {
  const counts = await db.row(`SELECT CAST(count(*) AS DOUBLE) AS total,
      CAST(count(*) FILTER (${hasAnswer}) AS DOUBLE) AS succeeded,
      CAST(count(*) FILTER (NOT (${hasAnswer}) AND attempts = 0) AS DOUBLE) AS not_sent${reuses ? ', CAST(count(reused_from) AS DOUBLE) AS reused' : ''}
    FROM ${readParquetsSql(paths)}`);
  const [total, succeeded, not_sent] = [counts.total, counts.succeeded, counts.not_sent].map(Number);
  if (total === undefined || succeeded === undefined || not_sent === undefined) throw new Error('No counts.');
  return {
    total,
    succeeded,
    failed: total - succeeded - not_sent,
    not_sent,
    ...(reuses ? { reused: Number(counts.reused) } : {}),
  };
}

/** SQL for how many rows files have, by their footers. */
export function readCountSql(paths: readonly string[]): string {
  return `SELECT CAST(coalesce(sum(num_rows), 0) AS DOUBLE) AS "rows" FROM parquet_file_metadata([${paths.map(sqlPath).join(', ')}])`;
}

/** Calls `use` with a database for reading results. */
export async function withResults<T>(use: (db: DuckDb) => Promise<T>): Promise<T> {
  await using scratch = await createScratch();
  await using db = await openDuckDb({ memoryMb: READ_MEMORY_MB, threads: 2, scratchDirectory: scratch.path });
  return await use(db);
}
