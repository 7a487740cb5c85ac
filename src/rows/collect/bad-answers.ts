import { SCHEMA_VIOLATION } from '../../core/jobs/retry-policy.ts';
import { columnText } from '../duckdb/column-text.ts';
import { type DuckDb, guardedSql, sqlName, sqlText, unguarded } from '../duckdb/duckdb.ts';
import { readParquetColumns, readParquetSql } from '../duckdb/parquet.ts';
import { fetchColumns, openResult, type ResultFile } from '../results/read-results.ts';
import { faultOfViolation } from './typed-answer.ts';

/** An answer that was not of the schema, and what was wrong with it. */
export interface BadAnswer {
  /** Its beginning, as far as a model is shown it again. */
  answer: string;
  fault: string;
}

/** Characters of a bad answer that its model is shown: more than an answer of `max_tokens` has by default. */
export const SHOWN_CHARACTERS = 4_000;

/** The bad answers of one result, in a table of the database: they may be many. */
export interface BadAnswers {
  /** Of these records, those that have one. */
  of(recordIds: readonly string[]): Promise<Map<string, BadAnswer>>;
  drop(): Promise<void>;
}

/** Finds the answers of a result that were not of the schema; `answerColumn` is where it has its answers. */
export async function readBadAnswers(
  db: DuckDb,
  { result: file, answerColumn, table }: { result: ResultFile; answerColumn: string; table: string },
): Promise<BadAnswers> {
  await using result = await openResult(file);
  const id = (await readParquetColumns(db, result.path)).find(({ name }) => name === 'record_id');
  if (id === undefined) throw new Error(`The result ${result.path} has no column record_id.`);
  await fetchColumns(db, result, ['record_id', 'error_code', 'error_message', answerColumn]);
  const answer = sqlName(answerColumn);
  await db.run(`CREATE TABLE ${table} AS
    SELECT ${columnText(id)} AS id, substr(${answer}, 1, ${SHOWN_CHARACTERS}) AS answer, error_message AS message
    FROM ${readParquetSql(result.path)} WHERE error_code = ${sqlText(SCHEMA_VIOLATION)} AND trim(${answer}, E' \\t\\r\\n') <> ''`);
  return {
    of: async (recordIds) => {
      if (recordIds.length === 0) return new Map();
      const found = await db.rows(
        `SELECT ${['id', 'answer', 'message'].map((name) => `${guardedSql(name)} AS guarded_${name}`).join(', ')} FROM ${table} WHERE id IN (${recordIds.map(sqlText).join(', ')})`,
      );
      return new Map(
        found.map(({ guarded_id, guarded_answer, guarded_message }) => [
          unguarded(guarded_id),
          { answer: unguarded(guarded_answer), fault: faultOfViolation(unguarded(guarded_message)) },
        ]),
      );
    },
    drop: () => db.run(`DROP TABLE ${table}`),
  };
}
