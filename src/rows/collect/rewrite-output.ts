import { createReadStream } from 'node:fs';
import { linesOf } from '../../core/lines.ts';
import type { ResultColumns } from '../results/result-columns.ts';
import { openLineWriter } from '../sources/line-writer.ts';
import { readOutputLine } from './output-line.ts';

const READ_BYTES = 1 << 20;

/**
 * Reads a job's output line by line, as DuckDB refuses a whole file for one bad line, and writes what it says in
 * a form that DuckDB always takes. Lone surrogates become U+FFFD. Gives the number of lines that say nothing, and
 * the bytes of the longest line written.
 */
export async function rewriteOutput(
  from: string,
  to: string,
  columns: ResultColumns,
): Promise<{ unreadable: number; longestBytes: number }> {
  await using writer = openLineWriter(to);
  let unreadable = 0;
  let isFirst = true;
  for await (const bytes of linesOf(createReadStream(from, { highWaterMark: READ_BYTES }))) {
    const line = isFirst ? bytes.toString().replace(/^\ufeff/, '') : bytes.toString();
    isFirst = false;
    if (line.trim() === '') continue;
    const read = readOutputLine(line, columns);
    if (read === undefined) unreadable += 1;
    else await writer.write(read);
  }
  return { unreadable, ...(await writer.end()) };
}
