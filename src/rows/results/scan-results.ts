import { REFUSED_STOP_REASONS, TRUNCATED_STOP_REASONS } from '../../core/jobs/retry-policy.ts';
import { type DuckDb, guardedSql, sqlName, sqlText, unguarded } from '../duckdb/duckdb.ts';
import { readParquetColumns, readParquetsSql } from '../duckdb/parquet.ts';
import { fetchColumns, openResult, type ResultFile, withResults } from './read-results.ts';

/** What became of a row, as a reader of results looks for it. */
export type RowClass = 'answered' | 'failed' | 'truncated' | 'refused';

/** A row that stands for others: the first of its kind, or one of the longest. */
export interface RowPlace {
  /** Which of the files. */
  file: number;
  /** Row in that file, from 0. */
  row: number;
  kind: RowClass;
  errorCode: string | null;
  outputTokens: number | null;
}

/** How many values were of which size: in buckets of which each is 2^¼ times as wide as the one before. */
export interface SizeCounts {
  rows: number;
  sum: number;
  min: number;
  max: number;
  /** Values of 0, which are in no bucket. */
  zeros: number;
  /** By their number n: a bucket goes from 2^(n/4) to 2^((n+1)/4). */
  buckets: Map<number, number>;
}

/** What a look over all rows tells, without prompts and answers. */
export interface ResultScan {
  /** Rows looked at: the first ones, where there are more than are looked at. */
  rows: number;
  inputTokens: SizeCounts;
  outputTokens: SizeCounts;
  /** The first of each kind and each error, in the order of the dataset. */
  firsts: RowPlace[];
  /** How many of them are of each kind and error. */
  firstsOf: Map<string, number>;
  /** Answers by their tokens, the longest first. */
  longest: RowPlace[];
}

/** What is looked for. */
export interface ScanRequest {
  /** First rows of each kind, and of failed ones of each error. */
  firstRows: number;
  longestRows: number;
  /** Files are looked at until so many rows have been. */
  maxRows: number;
}

const COLUMNS = ['error_code', 'stop_reason', 'input_tokens', 'output_tokens'] as const;

/** SQL that is true of an answer that was cut off, and of one that was refused or withheld. */
export const TRUNCATED_SQL = stoppedBySql(TRUNCATED_STOP_REASONS);
export const REFUSED_SQL = stoppedBySql(REFUSED_STOP_REASONS);

function stoppedBySql(reasons: readonly string[]): string {
  return `lower(stop_reason) IN (${reasons.map(sqlText).join(', ')})`;
}

/** Looks over the rows of result files, one file after the other: sizes, values, and which rows are worth showing. */
export async function scanResults(files: readonly ResultFile[], request: ScanRequest): Promise<ResultScan> {
  const scan: ResultScan = {
    rows: 0,
    inputTokens: noSizes(),
    outputTokens: noSizes(),
    firsts: [],
    firstsOf: new Map(),
    longest: [],
  };
  await withResults(async (db) => {
    for (const [file, source] of files.entries()) {
      if (scan.rows >= request.maxRows) return;
      await scanFile(db, { source, file, scan, request });
    }
  });
  return scan;
}

interface FileScan {
  source: ResultFile;
  file: number;
  scan: ResultScan;
  request: ScanRequest;
}

async function scanFile(db: DuckDb, { source, file, scan, request }: FileScan): Promise<void> {
  await using opened = await openResult(source);
  const columns = await readParquetColumns(db, opened.path);
  await fetchColumns(db, opened, COLUMNS);
  const has = (name: string) => columns.some((column) => column.name === name);
  const read = COLUMNS.map((name) => (has(name) ? sqlName(name) : `CAST(NULL AS VARCHAR) AS ${name}`));
  const kind = `CASE WHEN error_code IS NOT NULL THEN 'failed'
    WHEN ${TRUNCATED_SQL} THEN 'truncated' WHEN ${REFUSED_SQL} THEN 'refused' ELSE 'answered' END`;
  const from = `(SELECT *, ${kind} AS kind FROM (SELECT ${read.join(', ')}, file_row_number AS place FROM ${readParquetsSql([opened.path])}))`;
  const { rows } = await db.row(`SELECT CAST(count(*) AS DOUBLE) AS "rows" FROM ${from}`);
  scan.rows += Number(rows);
  await addSizes(db, scan.inputTokens, { from, column: 'input_tokens' });
  await addSizes(db, scan.outputTokens, { from, column: 'output_tokens' });
  const places = async (sql: string): Promise<RowPlace[]> =>
    (await db.rows(sql)).map(({ place, kind: found, error, output_tokens }) => ({
      file,
      row: Number(place),
      kind: String(found) as RowClass,
      errorCode: error === null ? null : unguarded(error),
      outputTokens: output_tokens === null ? null : Number(output_tokens),
    }));
  const chosen = `CAST(place AS DOUBLE) AS place, kind, ${guardedSql('error_code')} AS error, CAST(output_tokens AS DOUBLE) AS output_tokens`;
  const firsts = await places(
    `SELECT ${chosen} FROM ${from} QUALIFY row_number() OVER (PARTITION BY kind, error_code ORDER BY place) <= ${request.firstRows} ORDER BY place`,
  );
  // Of many files, no more than of one.
  for (const place of firsts) {
    const known = `${place.kind} ${place.errorCode}`;
    const before = scan.firstsOf.get(known) ?? 0;
    if (before >= request.firstRows) continue;
    scan.firstsOf.set(known, before + 1);
    scan.firsts.push(place);
  }
  const longest = await places(
    `SELECT ${chosen} FROM ${from} WHERE output_tokens IS NOT NULL ORDER BY CAST(output_tokens AS DOUBLE) DESC, place LIMIT ${request.longestRows}`,
  );
  scan.longest = [...scan.longest, ...longest]
    .sort((a, b) => (b.outputTokens ?? 0) - (a.outputTokens ?? 0) || a.file - b.file || a.row - b.row)
    .slice(0, request.longestRows);
}

function noSizes(): SizeCounts {
  return { rows: 0, sum: 0, min: Number.POSITIVE_INFINITY, max: 0, zeros: 0, buckets: new Map() };
}

async function addSizes(
  db: DuckDb,
  sizes: SizeCounts,
  { from, column }: { from: string; column: string },
): Promise<void> {
  const found =
    await db.rows(`SELECT CASE WHEN size > 0 THEN CAST(floor(4 * log2(size)) AS DOUBLE) END AS bucket,
      CAST(count(*) AS DOUBLE) AS "rows", sum(size) AS sum, min(size) AS min, max(size) AS max
    FROM (SELECT CAST(${column} AS DOUBLE) AS size FROM ${from} WHERE ${column} IS NOT NULL) GROUP BY bucket ORDER BY bucket`);
  for (const { bucket, rows, sum, min, max } of found) {
    sizes.rows += Number(rows);
    sizes.sum += Number(sum);
    sizes.min = Math.min(sizes.min, Number(min));
    sizes.max = Math.max(sizes.max, Number(max));
    if (bucket === null) sizes.zeros += Number(rows);
    else sizes.buckets.set(Number(bucket), (sizes.buckets.get(Number(bucket)) ?? 0) + Number(rows));
  }
}
