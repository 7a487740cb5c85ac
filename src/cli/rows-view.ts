import Table from 'cli-table3';
import { cell } from './format.ts';

/** Characters of a cell in a table. */
const MAX_CELL_LENGTH = 60;

/** Rows as a table with a head. */
export function rowsTable(rows: readonly Record<string, unknown>[], columns?: readonly string[]): string {
  const head = columns ?? Object.keys(rows[0] ?? {});
  const table = new Table({ head: [...head], style: { head: [], border: [] }, wordWrap: true });
  for (const row of rows) table.push(head.map((column) => cell(row[column], MAX_CELL_LENGTH)));
  return table.toString();
}
