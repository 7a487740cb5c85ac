import { join } from 'node:path';
import { type DuckDb, sqlName, sqlText } from '../duckdb/duckdb.ts';
import { copyToParquet, readParquetColumns, readParquetSql, WORKING_ROW_GROUPS } from '../duckdb/parquet.ts';
import { fetchColumns, openResult, type ResultFile, readCountSql } from '../results/read-results.ts';
import type { ResultColumns } from '../results/result-columns.ts';
import { REFUSED_SQL, TRUNCATED_SQL } from '../results/scan-results.ts';
import type { LaidAnswers } from './laid-answers.ts';

/** The results of one former run over the same rows, and which of its answers will not do. */
export interface FormerResults {
  /** In the order of the dataset, whose first rows they are of. */
  files: readonly ResultFile[];
  runId: string;
  columns: ResultColumns;
  /** Beside rows that have no answer. */
  without: { truncated: boolean; refused: boolean };
  scratchDirectory: string;
}

/** Bytes of a row's answer, roughly. */
const ANSWER_BYTES = 1_000;

/** What a result file lacks of what is to be laid; undefined where nothing. */
export async function missingColumn(
  db: DuckDb,
  { files: [first], columns }: Pick<FormerResults, 'files' | 'columns'>,
): Promise<{ name: string; type: string } | undefined> {
  if (first === undefined) return undefined;
  await using file = await openResult(first);
  const known = new Map((await readParquetColumns(db, file.path)).map(({ name, type }) => [name, type]));
  return [columns.answer, ...columns.properties].find(({ name, type }) => known.get(name) !== type);
}

/** Lays the good answers of a former run into the rows that they were given for; undefined where it has none. */
export async function layResults(
  db: DuckDb,
  { files, runId, columns, without, scratchDirectory }: FormerResults,
): Promise<LaidAnswers | undefined> {
  const wanted = [...columns.answers, ...columns.properties];
  const types = wanted.map(({ key, type }) => `${key} ${type}`).join(', ');
  await db.run(`CREATE TABLE former ("row" BIGINT, key BLOB, reused_from VARCHAR, ${types})`);
  const bad = [...(without.truncated ? [TRUNCATED_SQL] : []), ...(without.refused ? [REFUSED_SQL] : [])];
  const isGood = bad.map((flaw) => ` AND NOT coalesce(${flaw}, false)`).join('');
  let firstRow = 0;
  for (const source of files) {
    await using file = await openResult(source);
    const names = new Set((await readParquetColumns(db, file.path)).map(({ name }) => name));
    const selected = wanted.map(({ name, type }) =>
      names.has(name) ? `CAST(${sqlName(name)} AS ${type})` : `CAST(NULL AS ${type})`,
    );
    const paidBy = names.has('reused_from') ? `coalesce(reused_from, ${sqlText(runId)})` : sqlText(runId);
    await fetchColumns(db, file, [
      'error_code',
      'stop_reason',
      'reused_from',
      ...wanted.map(({ name }) => name),
    ]);
    await db.run(`INSERT INTO former SELECT file_row_number + ${firstRow}, NULL, ${paidBy}, ${selected.join(', ')}
      FROM ${readParquetSql(file.path)} WHERE error_code IS NULL AND ${sqlName(columns.answer.name)} IS NOT NULL${isGood}`);
    const { rows } = await db.row(readCountSql([file.path]));
    firstRow += Number(rows);
  }
  const path = join(scratchDirectory, 'laid.parquet');
  const rows = await copyToParquet(db, {
    sql: 'SELECT * FROM former SEMI JOIN (SELECT rowid AS "row" FROM requests) USING ("row") ORDER BY "row"',
    path,
    compression: 'snappy',
    bytesPerRow: ANSWER_BYTES,
    rowGroups: WORKING_ROW_GROUPS,
  });
  return rows === 0 ? undefined : { path, rows };
}
