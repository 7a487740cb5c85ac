import { BOOKKEEPING_COLUMNS } from '../../index.ts';
import type { EndedRun, RunCommand } from '../commands/follow-run.ts';
import { pasteable } from './pasteable.ts';
import { rowsView } from './rows-view.ts';
import { summaryLines } from './summary-view.ts';

/** Rows shown at the end of a run. */
const SAMPLE_ROWS = 3;

/** Prints a summary for people, with the first rows of the results. */
export async function printSummary(
  { summary, files }: EndedRun,
  { quarry, context: { out }, dir }: RunCommand,
): Promise<void> {
  out.write(`${summaryLines(summary, files).join('\n')}\n`);
  const rows = await Array.fromAsync(quarry.results(summary.run_id, { head: SAMPLE_ROWS }));
  out.write(`\n${rowsView(rows, { columns: sampleColumns(rows), width: out.columns })}\n`);
  if (summary.simulated) {
    out.write('\nThe answers are by a simulated model: no real model was called and nothing was paid.\n');
  }
  out.write(`\nAll rows: ${pasteable(`results ${summary.run_id}`, dir)}\n`);
  if (summary.status === 'cancelled') {
    out.write(`To continue: ${pasteable(`resume ${summary.run_id}`, dir)}\n`);
  }
}

/** A sample shows the dataset's columns, the answer, and errors only where there are some. */
function sampleColumns(rows: readonly Record<string, unknown>[]): string[] {
  const quiet = ['error_code', 'error_message'];
  return Object.keys(rows[0] ?? {}).filter(
    (column) =>
      !BOOKKEEPING_COLUMNS.includes(column) &&
      (!quiet.includes(column) || rows.some((row) => row[column] !== null)),
  );
}
