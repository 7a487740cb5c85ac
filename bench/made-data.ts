import { join } from 'node:path';
import { balancedRanges, type RowRange } from '../src/core/packing.ts';
import { recordIdOf } from '../src/core/record-id.ts';
import { openDuckDb } from '../src/dataset/duckdb.ts';
import { openLineWriter } from '../src/dataset/line-writer.ts';
import type { OutputShape } from '../src/models/output-shape.ts';

/** Most rows of a part. */
export const PART_ROWS = 50_000;
/** Numbers of an embedding. */
export const DIMENSIONS = 1_024;

/** The rows of each part. */
export function partsOf(rows: number): RowRange[] {
  return balancedRanges({ firstRow: 0, rows }, Math.ceil(rows / PART_ROWS));
}

/**
 * Rows shaped like simpleCoT: a source of about 1,100 characters, a rationale of about 400, a target, an id; as Parquet
 * of two kinds, CSV and JSONL.
 */
export async function writeInput(directory: string, rows: number): Promise<void> {
  await using db = await openDuckDb({ memoryMb: 2_000, threads: 2, scratchDirectory: directory });
  const words = (count: string, seed: number) =>
    `array_to_string(list_transform(range(CAST(${count} AS BIGINT)), lambda i: words[CAST(1 + hash(row * ${seed} + i) % 5000 AS BIGINT)]), ' ')`;
  await db.run(
    `CREATE TABLE vocabulary AS SELECT list(substr(md5(CAST(n AS VARCHAR)), 1, CAST(3 + n % 7 AS BIGINT)) ORDER BY n) AS words FROM range(5000) AS w(n)`,
  );
  const input = join(directory, 'input-10k.parquet');
  await db.run(`COPY (SELECT
      ${words('100 + hash(row) % 120', 131)} || CASE WHEN row % 17 = 0 THEN ' "q" \\ ' || chr(10) || 'é😀 {source} $&' ELSE '' END AS "source",
      ${words('30 + hash(row + 7) % 60', 37)} AS "rationale",
      CASE row % 5 WHEN 0 THEN 'yes' WHEN 1 THEN 'no' ELSE substr(md5(CAST(row AS VARCHAR)), 1, 9) END AS "target", row AS "id"
    FROM range(${rows}) AS r(row), vocabulary) TO '${input}' (FORMAT PARQUET, ROW_GROUP_SIZE 10240)`);
  await db.run(`COPY (FROM '${input}') TO '${join(directory, 'input.parquet')}' (FORMAT PARQUET)`);
  await db.run(`COPY (FROM '${input}') TO '${join(directory, 'input.csv')}' (FORMAT CSV)`);
  await db.run(`COPY (FROM '${input}') TO '${join(directory, 'input.jsonl')}' (FORMAT JSON)`);
}

/** What a job answers to a part, shuffled. */
export async function writeOutput(
  path: string,
  shape: OutputShape,
  { firstRow, rows }: RowRange,
): Promise<void> {
  await using writer = openLineWriter(path);
  const echo = 'lorem ipsum dolor sit amet '.repeat(40);
  for (let index = 0; index < rows; index++) {
    const row = firstRow + ((index * 7_919) % rows);
    const modelOutput =
      shape.kind === 'text'
        ? {
            output: {
              message: {
                role: 'assistant',
                content: [{ text: `${row} ${echo.slice(0, 400)}`, image: null }],
              },
            },
            stopReason: 'end_turn',
            usage: { inputTokens: 300, outputTokens: 100 },
          }
        : {
            embedding: Array.from({ length: DIMENSIONS }, (_, d) => Math.sin(row * DIMENSIONS + d)),
            inputTextTokenCount: 9,
          };
    await writer.write({
      modelInput: { messages: [{ role: 'user', content: [{ text: echo }] }] },
      modelOutput,
      recordId: recordIdOf(row),
    });
  }
  await writer.end();
}

/** Rows of one part for embeddings, as Prepare leaves them. */
export async function writeEmbeddedRows(directory: string, rows: number): Promise<void> {
  await using db = await openDuckDb({ memoryMb: 500, threads: 1, scratchDirectory: directory });
  await db.run(`COPY (SELECT n AS id, 'text ' || n AS "text", format('r{:010d}', n) AS __quarry_record_id, CAST(NULL AS VARCHAR) AS __quarry_error_code
    FROM range(${rows}) r(n)) TO '${join(directory, 'embedded.parquet')}' (FORMAT PARQUET, ROW_GROUP_SIZE 10240)`);
}
