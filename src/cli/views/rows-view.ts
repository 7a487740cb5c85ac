import Table from 'cli-table3';
import { cell } from './format.ts';

/** Characters of a cell in a table. */
const MAX_CELL_LENGTH = 60;
/** Characters of a line where the terminal does not say. */
const DEFAULT_WIDTH = 120;

/** Rows as a table with a head, or, where that is wider than the terminal, one block for each row. */
export function rowsView(
  rows: readonly Record<string, unknown>[],
  { columns, width = DEFAULT_WIDTH }: { columns?: readonly string[]; width?: number | undefined } = {},
): string {
  const head = columns ?? Object.keys(rows[0] ?? {});
  const table = new Table({ head: [...head], style: { head: [], border: [] } });
  for (const row of rows) table.push(head.map((column) => cell(row[column], MAX_CELL_LENGTH)));
  const text = table.toString();
  return text.slice(0, text.indexOf('\n')).length <= width ? text : blocks(rows, head, width);
}

function blocks(rows: readonly Record<string, unknown>[], head: readonly string[], width: number): string {
  const nameWidth = Math.max(...head.map((column) => column.length));
  return rows
    .map((row, index) =>
      [
        `row ${index + 1}`,
        ...head.map(
          (column) =>
            `  ${column.padEnd(nameWidth)}  ${cell(row[column], Math.max(MAX_CELL_LENGTH, width - nameWidth - 4))}`,
        ),
      ].join('\n'),
    )
    .join('\n\n');
}
