import type { PlannedPart } from '../../core/plan/part.ts';
import { laidColumnsSql, laidSql } from '../answers/laid-answers.ts';
import type { ResultColumns } from '../results/result-columns.ts';
import {
  ANSWERED_BY_COLUMN,
  ANSWERED_BY_ROW_COLUMN,
  type Asked,
  ERROR_CODE_COLUMN,
  REQUEST_HASH_COLUMN,
  REUSED_FROM_COLUMN,
} from './record-sql.ts';
import { duplicatesSql } from './request-index.ts';

/** The rows of a dataset that are not sent. */
export interface UnsentRows {
  asked: Asked;
  /** What `RequestIndex.save` wrote; undefined where no row is a duplicate. */
  duplicatesPath: string | undefined;
  /** The answers that are laid, those of other slices left out or not; undefined where none is. */
  laid: { path: string; columns: ResultColumns } | undefined;
}

/** A row's global number, while it is found out whether the row is sent. */
export const ROW_COLUMN = '__quarry_row';

/**
 * The rows, with the records whose answers they get where they are duplicates, and with the answers that are laid into them;
 * sorted, as a join promises no order.
 */
export function markUnsent(sql: string, { duplicatesPath, laid }: UnsentRows, part: PlannedPart): string {
  const range = { firstRow: part.first_row, rows: part.rows };
  const marks: string[] = [];
  const joins: string[] = [];
  // A row that has its answer needs no prompt.
  const error = `CASE WHEN laid.reused_from IS NULL THEN input.${ERROR_CODE_COLUMN} END AS ${ERROR_CODE_COLUMN}`;
  const replaced = laid === undefined ? '' : ` REPLACE (${error})`;
  if (duplicatesPath !== undefined) {
    marks.push(
      `duplicate.canonical_id AS ${ANSWERED_BY_COLUMN}`,
      `duplicate.canonical_row AS ${ANSWERED_BY_ROW_COLUMN}`,
    );
    joins.push(
      `LEFT JOIN (${duplicatesSql(duplicatesPath, range)}) AS duplicate ON duplicate."row" = input.${ROW_COLUMN}`,
    );
  }
  if (laid !== undefined) {
    marks.push(...laidColumnsSql(laid.columns, `input.${REQUEST_HASH_COLUMN}`));
    joins.push(`LEFT JOIN (${laidSql(laid.path, range)}) AS laid ON laid."row" = input.${ROW_COLUMN}`);
  }
  return `SELECT ${[`input.* EXCLUDE (${ROW_COLUMN})${replaced}`, ...marks].join(', ')}
    FROM (${sql}) AS input ${joins.join(' ')} ORDER BY input.${ROW_COLUMN}`;
}

/** The columns that `markUnsent` adds to the rows, as far as they decide what is sent. */
export function marksOf(unsent: UnsentRows | undefined): string[] {
  return [
    ...(unsent?.duplicatesPath === undefined ? [] : [ANSWERED_BY_COLUMN]),
    ...(unsent?.laid === undefined ? [] : [REUSED_FROM_COLUMN]),
  ];
}
