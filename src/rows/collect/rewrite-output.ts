import { createReadStream } from 'node:fs';
import { linesOf } from '../../core/text/lines.ts';
import { openLineWriter } from '../bytes/line-writer.ts';
import type { ResultColumns } from '../results/result-columns.ts';
import { gluedObjects } from './glued-objects.ts';
import { readOutputLine } from './output-line.ts';

const READ_BYTES = 1 << 20;
const NEWLINE = 10;

/**
 * Reads a job's output line by line, as DuckDB refuses a whole file for one bad line, and writes what it says in
 * a form that DuckDB always takes. Lone surrogates become U+FFFD, and objects that are glued together in one line are told
 * apart. Gives the number of lines that say nothing, whether the file breaks off in the last one, and the bytes of the longest line
 * written.
 */
export async function rewriteOutput(
  from: string,
  to: string,
  columns: ResultColumns,
): Promise<{ unreadable: number; isCutOff: boolean; longestBytes: number }> {
  await using writer = openLineWriter(to);
  let unreadable = 0;
  let isLastUnreadable = false;
  let isFirst = true;
  const input = endingOf(createReadStream(from, { highWaterMark: READ_BYTES }));
  for await (const bytes of linesOf(input.chunks)) {
    const line = isFirst ? bytes.toString().replace(/^\ufeff/, '') : bytes.toString();
    isFirst = false;
    if (line.trim() === '') continue;
    const whole = readOutputLine(line, columns);
    const said =
      whole === undefined ? gluedObjects(line).map((text) => readOutputLine(text, columns)) : [whole];
    for (const read of said) {
      isLastUnreadable = read === undefined;
      if (read === undefined) unreadable += 1;
      else await writer.write(read);
    }
  }
  return { unreadable, isCutOff: isLastUnreadable && !input.endsLine(), ...(await writer.end()) };
}

/** The chunks of a stream, and after the last one whether it ended a line. */
function endingOf(stream: AsyncIterable<Buffer>): { chunks: AsyncIterable<Buffer>; endsLine: () => boolean } {
  let last: number | undefined;
  return {
    chunks: (async function* () {
      for await (const chunk of stream) {
        last = chunk.at(-1);
        yield chunk;
      }
    })(),
    endsLine: () => last === NEWLINE,
  };
}
