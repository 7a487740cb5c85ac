import { LedgerMismatchError } from '../../core/errors.ts';
import type { Reason, RowCounts } from '../../core/ledger.ts';
import { DUPLICATE_REQUEST } from '../../core/retry-policy.ts';
import { columnText } from '../duckdb/column-text.ts';
import { type DuckDb, openDuckDb, sqlName } from '../duckdb/duckdb.ts';
import { copyToParquet, readParquetColumns, readParquetSql, readUnpackedBytes } from '../duckdb/parquet.ts';
import { CANONICAL_ID_COLUMN, RECORD_ID_COLUMN } from '../prepare/record-sql.ts';
import { readLedger } from '../results/read-results.ts';
import type { ResultColumns } from '../results/result-columns.ts';

/** Memory that DuckDB may use for one part. */
export const MERGE_MEMORY_MB = 1024;

/** A part's first result, and what became of those of its rows that were sent again. */
export interface MergeRequest {
  resultPath: string;
  /** Results of repair parts, the earliest wave first; rows of other parts in them are passed over. */
  repairPaths: readonly string[];
  /** Where identical requests are sent once. */
  duplicates?: {
    /** The part's rows as Prepare left them: they name the record whose answer each gets. */
    rowsPath: string;
    /** First results of the parts that have these records; `repairPaths` are those of all repair parts. */
    canonicalPaths: readonly string[];
  };
  columns: ResultColumns;
  mergedPath: string;
  scratchDirectory: string;
}

/** Columns beside the user's own, while rows are merged. */
const PLACE = '__quarry_place';
const OWN_ID = '__quarry_own_id';

const IS_REPLACED =
  'later.record_id IS NOT NULL AND (later.error_code IS NULL OR earlier.error_code IS NOT NULL)';

/**
 * Gives every row of a part its last outcome, in the same order. An answer that was paid for is never replaced by an
 * error: of a row whose cut-off answer was sent again in vain, the cut-off answer stays.
 */
export async function mergePart(request: MergeRequest): Promise<{ rows: RowCounts; reasons: Reason[] }> {
  const { resultPath, repairPaths, duplicates, mergedPath, scratchDirectory } = request;
  await using db = await openDuckDb({ memoryMb: MERGE_MEMORY_MB, threads: 2, scratchDirectory });
  const columns = await readParquetColumns(db, resultPath);
  const idColumn = columns.find(({ name }) => name === 'record_id');
  if (idColumn === undefined) throw new Error(`The result ${resultPath} has no column record_id.`);
  // What a later attempt replaces.
  const outcomes = request.columns.all
    .filter(({ from }) => from !== 'record_id' && from !== 'attempts')
    .map(({ name }) => name);
  const spent = request.columns.answers.filter(({ isSpent }) => isSpent).map(({ name }) => name);
  await createDuplicates(db, duplicates?.rowsPath);
  const outcomesOf = (path: string, { id, wave }: { id: string; wave: number }) =>
    `SELECT ${id} AS record_id, ${outcomes.map(sqlName).join(', ')}, attempts, ${wave} AS wave FROM ${readParquetSql(path)}`;
  const repairs = [
    ...(duplicates?.canonicalPaths ?? []).map(
      (path) =>
        `SELECT * FROM (${outcomesOf(path, { id: columnText(idColumn), wave: -1 })}) WHERE record_id IN (SELECT ${CANONICAL_ID_COLUMN} FROM duplicates)`,
    ),
    ...repairPaths.map((path, wave) => outcomesOf(path, { id: 'record_id', wave })),
  ];
  const merged = columns.map(({ name }) => {
    if (name === 'attempts') return 'greatest(earlier.attempts, later.attempts) AS attempts';
    const column = sqlName(name);
    if (!outcomes.includes(name)) return `earlier.${column}`;
    // The record's own row has the tokens that were paid for.
    const isFree = spent.includes(name) ? `WHEN earlier.${CANONICAL_ID_COLUMN} IS NOT NULL THEN NULL ` : '';
    return `CASE ${isFree}WHEN ${IS_REPLACED} THEN later.${column} ELSE earlier.${column} END AS ${column}`;
  });
  const earlier = `SELECT *, coalesce(${CANONICAL_ID_COLUMN}, ${OWN_ID}) AS ${RECORD_ID_COLUMN} FROM (
      SELECT *, file_row_number AS ${PLACE}, ${columnText(idColumn)} AS ${OWN_ID} FROM ${readParquetSql(resultPath)}
    ) LEFT JOIN duplicates USING (${PLACE})`;
  // The latest answer, else the latest error; the attempts are those of the latest turn all the same.
  const later = `SELECT DISTINCT ON (record_id) * EXCLUDE (attempts), max(attempts) OVER (PARTITION BY record_id) AS attempts
    FROM (${repairs.join(' UNION ALL ')}) ORDER BY record_id, error_code IS NULL DESC, wave DESC`;
  const sql =
    repairs.length === 0
      ? `SELECT * FROM ${readParquetSql(resultPath)}`
      : `SELECT ${merged.join(', ')} FROM (${earlier}) AS earlier
          LEFT JOIN (${later}) AS later ON later.record_id = earlier.${RECORD_ID_COLUMN} ORDER BY earlier.${PLACE}`;
  const { rows: rowCount, bytes } = await readUnpackedBytes(db, resultPath);
  const bytesPerRow = bytes / Math.max(1, rowCount);
  await copyToParquet(db, { sql, path: mergedPath, compression: 'snappy', bytesPerRow });
  const { wrong } = await db.row(`SELECT CAST(count(*) AS DOUBLE) AS wrong
    FROM (SELECT record_id AS id, file_row_number AS place FROM ${readParquetSql(resultPath)}) AS expected
    FULL JOIN (SELECT record_id AS id, file_row_number AS place FROM ${readParquetSql(mergedPath)}) AS actual USING (place)
    WHERE expected.id IS DISTINCT FROM actual.id`);
  if (Number(wrong) > 0) {
    throw new LedgerMismatchError(
      `The merged rows of ${resultPath} are not those that went in: ${wrong} differ.`,
    );
  }
  const { rows, reasons } = await readLedger(db, [mergedPath]);
  const waiting = reasons.find(({ error_code }) => error_code === DUPLICATE_REQUEST);
  if (waiting !== undefined) {
    throw new LedgerMismatchError(
      `${waiting.rows} rows of ${resultPath}, such as ${waiting.example_record_id}, get the answer of another row, which was not found.`,
    );
  }
  return { rows, reasons };
}

/** The places of rows that get the answer of another record, and that record's id. */
async function createDuplicates(db: DuckDb, rowsPath: string | undefined): Promise<void> {
  await db.run(`CREATE TABLE duplicates (${PLACE} BIGINT, ${CANONICAL_ID_COLUMN} VARCHAR)`);
  if (rowsPath === undefined) return;
  await db.run(
    `INSERT INTO duplicates SELECT file_row_number, ${CANONICAL_ID_COLUMN} FROM ${readParquetSql(rowsPath)} WHERE ${CANONICAL_ID_COLUMN} IS NOT NULL`,
  );
}
