import { createReadStream, createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { recordIdOf } from '../src/core/record-id.ts';
import { linesOf } from '../src/core/text/lines.ts';

/*
 * What the data plane is measured against: the same work as anyone would write it first in TypeScript, row by row, with
 * objects and `JSON.stringify`.
 */

const WINDOW_ROWS = 10_000;

/** Renders each row of a Parquet file into a line of JSONL; writes no copy of the rows. */
export async function prepareRowByRow(directory: string, name: string): Promise<void> {
  const file = await asyncBufferFromFile(join(directory, name));
  const metadata = await parquetMetadataAsync(file);
  const output = createWriteStream(join(directory, 'row-by-row.jsonl'));
  const rows = Number(metadata.num_rows);
  for (let rowStart = 0; rowStart < rows; rowStart += WINDOW_ROWS) {
    const rowEnd = Math.min(rows, rowStart + WINDOW_ROWS);
    const objects = await parquetReadObjects({ file, metadata, rowStart, rowEnd });
    for (const [index, { source, rationale, target }] of objects.entries()) {
      const line = JSON.stringify({
        recordId: recordIdOf(rowStart + index),
        modelInput: {
          messages: [
            {
              role: 'user',
              content: [
                { text: `Judge this answer.\n\n${source}\n\nReasoning: ${rationale}\n\nAnswer: ${target}` },
              ],
            },
          ],
          inferenceConfig: { maxTokens: 512 },
        },
      });
      if (!output.write(`${line}\n`)) await new Promise<void>((drained) => output.once('drain', drained));
    }
  }
  output.end();
  await finished(output);
}

/** Joins one part's output to its rows by a Map, and writes Parquet. */
export async function collectRowByRow(directory: string): Promise<void> {
  const answers = new Map<string, { text: string; stop: string; input: number; output: number }>();
  for await (const line of linesOf(createReadStream(join(directory, 'parts', '0.out')))) {
    const { recordId, modelOutput } = JSON.parse(line.toString());
    answers.set(recordId, {
      text: modelOutput.output.message.content[0].text,
      stop: modelOutput.stopReason,
      input: modelOutput.usage.inputTokens,
      output: modelOutput.usage.outputTokens,
    });
  }
  const file = await asyncBufferFromFile(join(directory, 'parts', '0.parquet'));
  const rows = await parquetReadObjects({ file });
  const found = rows.map((_, index) => answers.get(recordIdOf(index)));
  const buffer = parquetWriteBuffer({
    columnData: [
      { name: 'source', data: rows.map(({ source }) => source), type: 'STRING' },
      { name: 'rationale', data: rows.map(({ rationale }) => rationale), type: 'STRING' },
      { name: 'target', data: rows.map(({ target }) => target), type: 'STRING' },
      { name: 'id', data: rows.map(({ id }) => id), type: 'INT64' },
      { name: 'record_id', data: rows.map((_, index) => recordIdOf(index)), type: 'STRING' },
      { name: 'response', data: found.map((answer) => answer?.text ?? null), type: 'STRING' },
      { name: 'stop_reason', data: found.map((answer) => answer?.stop ?? null), type: 'STRING' },
      { name: 'input_tokens', data: found.map((answer) => answer?.input ?? null), type: 'INT32' },
      { name: 'output_tokens', data: found.map((answer) => answer?.output ?? null), type: 'INT32' },
    ],
  });
  await writeFile(join(directory, 'row-by-row.parquet'), Buffer.from(buffer));
}
