import { REFUSED_STOP_REASONS, TRUNCATED_STOP_REASONS } from '../../core/jobs/retry-policy.ts';
import { isApart } from '../../core/plan/names-apart.ts';
import type { Column } from '../../core/plan/part.ts';
import type { RecordFrame } from '../../models/record-frame.ts';
import { columnText } from '../duckdb/column-text.ts';
import { openDuckDb, sqlName, sqlText } from '../duckdb/duckdb.ts';
import {
  copyToParquet,
  type ReadName,
  readParquetColumns,
  readParquetSql,
  readUnpackedBytes,
} from '../duckdb/parquet.ts';
import { makeRoomForColumns } from '../duckdb/wide-rows.ts';
import { namesToRead } from '../parquet/column-renaming.ts';
import { type Asked, REQUEST_HASH_COLUMN, requestHashSql } from '../prepare/record-sql.ts';
import type { ResultColumns } from '../results/result-columns.ts';

/**
 * A file of kept answers is Parquet, a row for each request: what it asked (`key`), which record was the first to ask it, the
 * answer with what it took, the run that paid for it and when that was planned, and `proof`, by which an answer that
 * is not as it was written is known.
 */
export const ANSWER_FILE_COLUMNS = [
  'key',
  'record_id',
  'answer',
  'stop_reason',
  'input_tokens',
  'output_tokens',
  'run_id',
  'answered_at',
  'proof',
] as const;

/** SQL for what the row of a file of answers must have as its proof. */
export const PROOF_SQL = `md5(concat_ws(chr(10), hex(key), record_id, run_id, answered_at, coalesce(stop_reason, chr(1)), coalesce(CAST(input_tokens AS VARCHAR), chr(1)), coalesce(CAST(output_tokens AS VARCHAR), chr(1)), CAST(answer AS VARCHAR)))`;

const KEEP_MEMORY_MB = 1024;
const PLACE = '__quarry_place';

/** Which answers of a part's final rows are to be kept. */
export interface KeepRequest {
  /** The part's rows with their answers, as they stay. */
  resultPath: string;
  columns: ResultColumns;
  frame: RecordFrame;
  asked: Asked;
  datasetColumns: readonly Column[];
  runId: string;
  /** When the run was planned, ISO 8601. */
  answeredAt: string;
  answersPath: string;
  scratchDirectory: string;
}

/**
 * Writes the answers of a part's rows that may stand for those of later rows: none that failed, was cut off, refused or
 * empty, or that was itself another run's. Gives their number; there is no file where that is 0.
 */
export async function keepAnswers(request: KeepRequest): Promise<number> {
  const { resultPath, answersPath, scratchDirectory } = request;
  await using db = await openDuckDb({ memoryMb: KEEP_MEMORY_MB, threads: 1, scratchDirectory });
  const names = await readParquetColumns(db, resultPath);
  await makeRoomForColumns(db, names.length, KEEP_MEMORY_MB);
  const { rows, bytes } = await readUnpackedBytes(db, resultPath);
  const { found } = await db.row(
    `SELECT CAST(count(*) AS DOUBLE) AS found FROM ${readParquetSql(resultPath)} WHERE ${isKeptSql(request)}`,
  );
  if (Number(found) === 0) return 0;
  return await copyToParquet(db, {
    sql: keptSql(request, names, await apartOf(request)),
    path: answersPath,
    compression: 'snappy',
    bytesPerRow: bytes / Math.max(1, rows),
  });
}

/** SQL that is true of a row of a result whose answer is kept. */
function isKeptSql({ columns: { answer, all } }: KeepRequest): string {
  const isOwn = all.some(({ from }) => from === 'reused_from') ? ['reused_from IS NULL'] : [];
  const isSaid = answer.type === 'VARCHAR' ? [`trim(${sqlName(answer.name)}, E' \\t\\r\\n') <> ''`] : [];
  const flawed = [...TRUNCATED_STOP_REASONS, ...REFUSED_STOP_REASONS].map(sqlText).join(', ');
  return [
    'error_code IS NULL',
    `${sqlName(answer.name)} IS NOT NULL`,
    `lower(coalesce(stop_reason, '')) NOT IN (${flawed})`,
    ...isOwn,
    ...isSaid,
  ].join(' AND ');
}

/** The dataset's columns that are kept apart, and what DuckDB calls them in the result. */
async function apartOf({ resultPath, datasetColumns }: KeepRequest): Promise<ReadName[]> {
  const names = datasetColumns.map(({ name }) => name);
  return ((await namesToRead(resultPath, names)) ?? []).filter(({ name }) => isApart(name));
}

/** SQL for the kept answers, in the order of the rows; of rows that ask the same, the one that was paid for. */
function keptSql(request: KeepRequest, present: readonly Column[], apart: readonly ReadName[]): string {
  const { resultPath, columns, frame, asked, datasetColumns, runId, answeredAt } = request;
  const idColumn = present.find(({ name }) => name === 'record_id') ?? { name: 'record_id', type: 'VARCHAR' };
  const named = apart.map(({ read, name }) => `${sqlName(read)} AS ${sqlName(name)}, `).join('');
  const from = `(SELECT *, ${named}file_row_number AS ${PLACE} FROM ${readParquetSql(resultPath)} WHERE ${isKeptSql(request)})`;
  const hashed = requestHashSql(
    { frame, asked, columns: datasetColumns },
    {
      from,
      kept: [
        `${columnText(idColumn)} AS record_id`,
        `${sqlName(columns.answer.name)} AS answer`,
        'stop_reason',
        'CAST(input_tokens AS BIGINT) AS input_tokens',
        'CAST(output_tokens AS BIGINT) AS output_tokens',
        PLACE,
      ],
    },
  );
  const row = `SELECT ${REQUEST_HASH_COLUMN} AS key, * EXCLUDE (${REQUEST_HASH_COLUMN}), ${sqlText(runId)} AS run_id, ${sqlText(answeredAt)} AS answered_at FROM (${hashed}) WHERE ${REQUEST_HASH_COLUMN} IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY ${REQUEST_HASH_COLUMN} ORDER BY input_tokens IS NULL, ${PLACE}) = 1`;
  return `SELECT * EXCLUDE (${PLACE}), ${PROOF_SQL} AS proof FROM (${row}) ORDER BY ${PLACE}`;
}
