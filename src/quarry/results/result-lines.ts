import { stringify } from 'csv-stringify/sync';
import { errorColumnsOf, type RunSummary } from '../../core/run/summary.ts';
import { type ResultRows, readResults, readResultTexts } from '../../rows/results/read-results.ts';
import { resultFiles } from '../../targets/result-files.ts';
import type { RunFiles } from '../../targets/run-files.ts';

/** Rows of a run as lines of text. */
export type LineFormat = 'jsonl' | 'csv';

/** The rows of a run that has ended, each as the text of its line or lines, line ends included; CSV has a header. */
export async function* resultLines(
  summary: RunSummary,
  files: Pick<RunFiles, 'store' | 'dir'>,
  { format, ...asked }: ResultRows & { format: LineFormat },
): AsyncGenerator<string, void> {
  const objects = resultFiles(summary, files);
  const rows = { ...asked, errorColumns: errorColumnsOf(summary) };
  if (format === 'jsonl') {
    for await (const json of readResultTexts(objects, rows)) yield `${json}\n`;
    return;
  }
  let header = true;
  for await (const row of readResults(objects, rows)) {
    yield stringify([row], { header, cast: { object: (value) => JSON.stringify(value) } });
    header = false;
  }
}
