import { TRUNCATED_STOP_REASONS } from '../../core/jobs/retry-policy.ts';
import { type DuckDb, guardedSql, sqlText, unguarded } from '../duckdb/duckdb.ts';
import { parquetRangeSql } from '../duckdb/parquet.ts';

/** Answers of a file, some after each other. */
export interface AnswerPage {
  /** A file with the columns `answer` and `stop_reason`. */
  path: string;
  firstRow: number;
  rows: number;
}

/** An answer's text, and why it ended there where it was cut off; null where there is no answer. */
export type PageAnswer = { text: string; stopReason: string | null } | null;

/** What stands between answers, and does not stand in those that come so. */
const SEPARATOR = '\u0001';
const [HAS_TEXT, HAS_NONE, IS_APART] = ['t', 'n', 'a'];
/** Answers that are asked for by themselves at once. */
const APART_AT_ONCE = 2_048;

/** SQL that is true of an answer whose text is not all that there is to know, or has the separator in it: few are. */
const IS_APART_SQL = `contains(answer, '${SEPARATOR}') OR coalesce(lower(stop_reason) IN (${TRUNCATED_STOP_REASONS.map(sqlText).join(', ')}), false)`;

/**
 * Reads a page of answers, in their order. They come as one text: to get a text from DuckDB costs as much as to parse it,
 * however short it is.
 */
export async function readAnswerPage(db: DuckDb, page: AnswerPage): Promise<PageAnswer[]> {
  const { answers } = await db.row(
    `SELECT string_agg(CASE WHEN answer IS NULL THEN '${HAS_NONE}' WHEN ${IS_APART_SQL} THEN '${IS_APART}' ELSE '${HAS_TEXT}' || answer END, '${SEPARATOR}' ORDER BY file_row_number) AS answers
     FROM ${parquetRangeSql(page)}`,
  );
  const pieces = String(answers).split(SEPARATOR);
  const apart = await readApart(db, page, pieces);
  return pieces.map((piece, index) =>
    piece[0] === HAS_TEXT ? { text: piece.slice(1), stopReason: null } : (apart.get(index) ?? null),
  );
}

/** The answers that come by themselves, by their places in the page. */
async function readApart(
  db: DuckDb,
  page: AnswerPage,
  pieces: readonly string[],
): Promise<Map<number, PageAnswer>> {
  const read = new Map<number, PageAnswer>();
  const rows = pieces.flatMap((piece, index) => (piece === IS_APART ? [page.firstRow + index] : []));
  for (let start = 0; start < rows.length; start += APART_AT_ONCE) {
    const found = await db.rows(
      `SELECT CAST(file_row_number AS DOUBLE) AS "row", ${guardedSql('answer')} AS text, stop_reason
       FROM ${parquetRangeSql(page)} AND file_row_number IN (${rows.slice(start, start + APART_AT_ONCE).join(', ')})`,
    );
    for (const { row, text, stop_reason } of found) {
      const stopReason = stop_reason === null ? null : String(stop_reason);
      read.set(Number(row) - page.firstRow, { text: unguarded(text), stopReason });
    }
  }
  return read;
}
