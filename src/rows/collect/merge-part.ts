import pLimit from 'p-limit';
import { LedgerMismatchError } from '../../core/errors.ts';
import { privately } from '../../core/text/private-text.ts';
import type { RowWindow } from '../bytes/source-bytes.ts';
import { columnText } from '../duckdb/column-text.ts';
import { type DuckDb, openDuckDb, sqlName, sqlText } from '../duckdb/duckdb.ts';
import { copyToParquet, parquetRangeSql, readParquetSql, readUnpackedBytes } from '../duckdb/parquet.ts';
import { makeRoomForColumns } from '../duckdb/wide-rows.ts';
import { readGivenColumns, renameColumns } from '../parquet/column-renaming.ts';
import { ANSWERED_BY_COLUMN, RECORD_ID_COLUMN } from '../prepare/record-sql.ts';
import {
  openResult,
  type ResultFile,
  type ResultLedger,
  readCountSql,
  readLedger,
} from '../results/read-results.ts';
import type { ResultColumn, ResultColumns } from '../results/result-columns.ts';

/** Memory that DuckDB may use for one part. */
export const MERGE_MEMORY_MB = 1024;

/** A result that has outcomes of a part's rows, and where in it they are. */
export interface LaterResult {
  file: ResultFile;
  /** Undefined: anywhere. */
  windows?: readonly RowWindow[];
}

/** A part's first result, and what became of those of its rows that were sent again. */
export interface MergeRequest {
  resultPath: string;
  /** Results of repair parts, the earliest wave first; rows of other parts in them are passed over. */
  repairs: readonly LaterResult[];
  /**
   * Where rows are answered elsewhere: first results of the parts that have the records whose answers they get;
   * `repairs` are also those that these records went through.
   */
  elsewhere?: readonly LaterResult[];
  columns: ResultColumns;
  mergedPath: string;
  scratchDirectory: string;
}

/** Columns beside the user's own, while rows are merged. */
const PLACE = '__quarry_place';
const OWN_ID = '__quarry_own_id';
const WAVE = '__quarry_wave';

const IS_ELSEWHERE = `earlier.${ANSWERED_BY_COLUMN} IS NOT NULL`;
const IS_REPLACED = `later.record_id IS NOT NULL AND (${IS_ELSEWHERE} OR later.error_code IS NULL OR earlier.error_code IS NOT NULL)`;

/**
 * Gives every row of a part its last outcome, in the same order. An answer that was paid for is never replaced by an
 * error: of a row whose cut-off answer was sent again in vain, the cut-off answer stays. A row that is answered elsewhere
 * gets the last outcome of that record.
 */
export async function mergePart(request: MergeRequest): Promise<Omit<ResultLedger, 'tokens'>> {
  const { resultPath, mergedPath, scratchDirectory } = request;
  await using db = await openDuckDb({ memoryMb: MERGE_MEMORY_MB, threads: 2, scratchDirectory });
  const result = await readColumns(db, resultPath);
  await makeRoomForColumns(db, result.names.length, MERGE_MEMORY_MB);
  const { rows: rowCount, bytes } = await readUnpackedBytes(db, resultPath);
  await readLater(db, request, result);
  await copyToParquet(db, {
    sql: mergedSql(request, result),
    path: mergedPath,
    compression: 'snappy',
    bytesPerRow: bytes / Math.max(1, rowCount),
  });
  if (result.given !== undefined) await renameColumns(mergedPath, result.given);
  await refuseOtherRows(db, request);
  const { tokens: _, ...ledger } = await readLedger(db, [mergedPath], { columns: request.columns });
  const lost = ledger.reasons.find(({ error_code }) => error_code === NOT_FOUND);
  if (lost !== undefined) {
    throw new LedgerMismatchError(
      `${lost.rows} rows of ${resultPath}, such as ${privately(lost.example_record_id)}, get the answer of another row, which was not found.`,
    );
  }
  return ledger;
}

/** Error code, until it is seen, of a row whose answer is nowhere. */
const NOT_FOUND = 'AnswerNotFound';

/** The columns of a part's first result. */
interface FirstResult {
  names: readonly string[];
  /** Those that the merged file is to have, where DuckDB calls columns otherwise. */
  given: readonly string[] | undefined;
  /** SQL for a row's record id. */
  id: string;
  /** True where rows of it are answered elsewhere. */
  isElsewhere: boolean;
}

async function readColumns(db: DuckDb, resultPath: string): Promise<FirstResult> {
  const columns = await readGivenColumns(db, resultPath);
  const idColumn = columns.find(({ name }) => name === 'record_id');
  if (idColumn === undefined) throw new Error(`The result ${resultPath} has no column record_id.`);
  const kept = columns.filter(({ name }) => name !== ANSWERED_BY_COLUMN);
  const isRenamed = kept.some(({ name, given }) => name !== given);
  return {
    names: kept.map(({ name }) => name),
    given: isRenamed ? kept.map(({ given }) => given) : undefined,
    id: columnText(idColumn),
    isElsewhere: kept.length < columns.length,
  };
}

/** SQL for the part's rows, each with its last outcome. */
function mergedSql({ resultPath, columns }: MergeRequest, first: FirstResult): string {
  const { names, isElsewhere } = first;
  const exclude = isElsewhere ? `EXCLUDE (${ANSWERED_BY_COLUMN})` : '';
  const read = `SELECT * ${exclude}, file_row_number AS ${PLACE}, ${first.id} AS ${OWN_ID}, ${answeredBySql(first)} AS ${ANSWERED_BY_COLUMN} FROM ${readParquetSql(resultPath)}`;
  const earlier = `SELECT *, coalesce(${ANSWERED_BY_COLUMN}, ${OWN_ID}) AS ${RECORD_ID_COLUMN} FROM (${read})`;
  return `SELECT ${names.map(mergedColumn(columns)).join(', ')} FROM (${earlier}) AS earlier
    LEFT JOIN (${LATER_SQL}) AS later ON later.record_id = earlier.${RECORD_ID_COLUMN} ORDER BY earlier.${PLACE}`;
}

function answeredBySql({ isElsewhere }: FirstResult): string {
  return isElsewhere ? ANSWERED_BY_COLUMN : 'CAST(NULL AS VARCHAR)';
}

/** What a row keeps, or has of all attempts. */
const STAYING: readonly ResultColumn['from'][] = ['record_id', 'attempts', 'reused_from'];

/** What a later attempt replaces. */
function outcomesOf({ all }: ResultColumns): string[] {
  return all.filter(({ from }) => !STAYING.includes(from)).map(({ name }) => name);
}

function mergedColumn(columns: ResultColumns): (name: string) => string {
  const outcomes = outcomesOf(columns);
  // The record's own row has what was paid for.
  const spent = columns.answers.filter(({ isSpent }) => isSpent).map(({ name }) => name);
  return (name) => {
    const column = sqlName(name);
    if (name === 'attempts') return 'greatest(earlier.attempts, later.attempts) AS attempts';
    if (!outcomes.includes(name)) return `earlier.${column}`;
    const isFree = spent.includes(name) ? `WHEN ${IS_ELSEWHERE} THEN NULL ` : '';
    const isLost =
      name === 'error_code'
        ? `WHEN ${IS_ELSEWHERE} AND later.record_id IS NULL THEN ${sqlText(NOT_FOUND)} `
        : '';
    return `CASE ${isFree}${isLost}WHEN ${IS_REPLACED} THEN later.${column} ELSE earlier.${column} END AS ${column}`;
  };
}

/**
 * SQL for the outcomes that may replace a row's first one, by record id: the latest answer, else the latest error; the
 * attempts are those of the latest turn all the same.
 */
const LATER_SQL = `SELECT DISTINCT ON (record_id) * EXCLUDE (attempts), max(attempts) OVER (PARTITION BY record_id) AS attempts
  FROM later ORDER BY record_id, error_code IS NULL DESC, ${WAVE} DESC`;

/** Later results that are read at once; each is let go of before the next one is opened. */
const CONCURRENT_RESULTS = 4;

/** Reads the outcomes of the part's records, and of no others, from all later results into the table `later`. */
async function readLater(db: DuckDb, request: MergeRequest, first: FirstResult): Promise<void> {
  const { resultPath, repairs, elsewhere = [], columns } = request;
  const outcomes = outcomesOf(columns).map(sqlName).join(', ');
  const from = readParquetSql(resultPath);
  const ids = `SELECT DISTINCT ${answeredBySql(first)} AS answered_by, ${first.id} AS own FROM ${from}`;
  await db.run(
    `CREATE TABLE elsewhere AS SELECT answered_by AS id FROM (${ids}) WHERE answered_by IS NOT NULL`,
  );
  await db.run(`CREATE TABLE wanted AS SELECT coalesce(answered_by, own) AS id FROM (${ids})`);
  await db.run(
    `CREATE TABLE later AS SELECT ${first.id} AS record_id, ${outcomes}, attempts, 0 AS ${WAVE} FROM ${from} LIMIT 0`,
  );
  const read = async ({ file, windows }: LaterResult, { id, wanted, wave }: LaterTurn): Promise<void> => {
    await using opened = await openResult(file);
    const { rows } = await db.row(readCountSql([opened.path]));
    for (const window of windows ?? [{ firstRow: 0, rows: Number(rows) }]) {
      await opened.fetchRows(['record_id', ...outcomesOf(columns), 'attempts'], window);
      await db.run(`INSERT INTO later SELECT * FROM (
          SELECT ${id} AS record_id, ${outcomes}, attempts, ${wave} AS ${WAVE} FROM ${parquetRangeSql({ path: opened.path, ...window })}
        ) WHERE record_id IN (SELECT id FROM ${wanted})`);
    }
  };
  const limit = pLimit(CONCURRENT_RESULTS);
  await Promise.all([
    ...elsewhere.map((result) => limit(read, result, { id: first.id, wanted: 'elsewhere', wave: -1 })),
    ...repairs.map((result, wave) => limit(read, result, { id: 'record_id', wanted: 'wanted', wave })),
  ]);
}

/** Which outcomes of a later result count, and when they came to be. */
interface LaterTurn {
  /** SQL for a row's record id. */
  id: string;
  wanted: 'elsewhere' | 'wanted';
  wave: number;
}

async function refuseOtherRows(db: DuckDb, { resultPath, mergedPath }: MergeRequest): Promise<void> {
  const { wrong } = await db.row(`SELECT CAST(count(*) AS DOUBLE) AS wrong
    FROM (SELECT record_id AS id, file_row_number AS place FROM ${readParquetSql(resultPath)}) AS expected
    FULL JOIN (SELECT record_id AS id, file_row_number AS place FROM ${readParquetSql(mergedPath)}) AS actual USING (place)
    WHERE expected.id IS DISTINCT FROM actual.id`);
  if (Number(wrong) === 0) return;
  throw new LedgerMismatchError(
    `The merged rows of ${resultPath} are not those that went in: ${wrong} differ.`,
  );
}
