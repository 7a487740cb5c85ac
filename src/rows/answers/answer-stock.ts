import { InvalidDatasetError } from '../../core/errors.ts';
import { type DuckDb, openDuckDb, sqlText } from '../duckdb/duckdb.ts';
import {
  copyToParquet,
  readParquetColumns,
  readParquetSql,
  readParquetsSql,
  readUnpackedBytes,
} from '../duckdb/parquet.ts';
import { openResult, type ResultFile, readCountSql } from '../results/read-results.ts';

const STOCK_MEMORY_MB = 1024;

/** Which kept answers are meant: those of a run, or of runs planned before a time; both where both are given. */
export interface AnswersChoice {
  runId?: string | undefined;
  /** ISO 8601. */
  before?: string | undefined;
}

/** What is in a file of kept answers. */
export interface AnswerStock {
  answers: number;
  /** Of these, those that are meant. */
  chosen: number;
  runIds: string[];
  /** When the runs were planned that paid for the first and the last, ISO 8601; null where there are none. */
  oldest: string | null;
  newest: string | null;
  /** DuckDB's type of the answers: files of one type can be put together. */
  type: string;
}

/** Calls `use` with a database for files of kept answers. */
export async function withStockDb<T>(scratchDirectory: string, use: (db: DuckDb) => Promise<T>): Promise<T> {
  await using db = await openDuckDb({ memoryMb: STOCK_MEMORY_MB, threads: 2, scratchDirectory });
  return await use(db);
}

function chosenSql({ runId, before }: AnswersChoice): string {
  const conditions = [
    ...(runId === undefined ? [] : [`run_id = ${sqlText(runId)}`]),
    ...(before === undefined ? [] : [`answered_at < ${sqlText(before)}`]),
  ];
  return conditions.length === 0 ? 'false' : conditions.join(' AND ');
}

/** Looks through a file; of one that is not here, only what tells of its answers is fetched. */
export async function readStock(
  db: DuckDb,
  source: ResultFile,
  choice: AnswersChoice = {},
): Promise<AnswerStock> {
  await using file = await openResult(source);
  const { rows } = await db.row(readCountSql([file.path]));
  await file.fetchRows(['run_id', 'answered_at'], { firstRow: 0, rows: Number(rows) });
  const found =
    await db.row(`SELECT CAST(count(*) AS DOUBLE) AS answers, CAST(count(*) FILTER (${chosenSql(choice)}) AS DOUBLE) AS chosen,
    list_sort(list(DISTINCT run_id)) AS run_ids, min(answered_at) AS oldest, max(answered_at) AS newest FROM ${readParquetSql(file.path)}`);
  const type = (await readParquetColumns(db, file.path)).find(({ name }) => name === 'answer')?.type;
  if (type === undefined) throw new InvalidDatasetError('It is no file of answers.');
  return {
    answers: Number(found.answers),
    chosen: Number(found.chosen),
    runIds: (found.run_ids as string[] | null) ?? [],
    oldest: found.oldest === null ? null : String(found.oldest),
    newest: found.newest === null ? null : String(found.newest),
    type,
  };
}

/** Writes the answers of files into one, but for those that are chosen: each row as it is, proof included. */
export async function copyAnswersExcept(
  db: DuckDb,
  { paths, choice, to }: { paths: readonly string[]; choice: AnswersChoice; to: string },
): Promise<number> {
  const sizes = await Promise.all(paths.map((path) => readUnpackedBytes(db, path)));
  const rows = sizes.reduce((sum, size) => sum + size.rows, 0);
  const bytes = sizes.reduce((sum, size) => sum + size.bytes, 0);
  return await copyToParquet(db, {
    sql: `SELECT * FROM ${readParquetsSql(paths)} WHERE NOT (${chosenSql(choice)})`,
    path: to,
    compression: 'snappy',
    bytesPerRow: bytes / Math.max(1, rows),
  });
}
