import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { balancedRanges, type RowRange } from '../src/core/plan/packing.ts';
import { recordIdOf } from '../src/core/record-id.ts';
import { openLineWriter } from '../src/rows/bytes/line-writer.ts';
import { openDuckDb } from '../src/rows/duckdb/duckdb.ts';
import { writeSimpleCot } from './simple-cot.ts';

/** Most rows of a part. */
export const PART_ROWS = 50_000;
/** Numbers of an embedding. */
export const DIMENSIONS = 1_024;

/** The rows of each part. */
export function partsOf(rows: number): RowRange[] {
  return balancedRanges({ firstRow: 0, rows }, Math.ceil(rows / PART_ROWS));
}

const SEED = 20_260_101;

/** `input-10k.parquet` has rows shaped like simpleCoT; the others are made of it. */
const INPUT = 'input-10k.parquet';
const COPY_OPTIONS: Record<string, string> = {
  'input.parquet': 'FORMAT PARQUET',
  'input.csv': 'FORMAT CSV',
  'input.jsonl': 'FORMAT JSON',
};

/** Writes one of the inputs, unless it is there, and removes the others that are made of the first. */
export async function writeInput(directory: string, rows: number, name: string): Promise<void> {
  const input = join(directory, INPUT);
  if (!(await stat(input).catch(() => undefined))) {
    await writeSimpleCot({ path: input, rows, seed: SEED, scratchDirectory: directory });
  }
  for (const other of Object.keys(COPY_OPTIONS)) await rm(join(directory, other), { force: true });
  const options = COPY_OPTIONS[name];
  if (options === undefined) return;
  await using db = await openDuckDb({ memoryMb: 2_000, threads: 2, scratchDirectory: directory });
  await db.run(`COPY (FROM '${input}') TO '${join(directory, name)}' (${options})`);
}

/** A prime: every row of a part comes once, unless their number is a multiple of it. */
const STRIDE = 7_919;
const ANSWER_CHARACTERS = 500;

/** What a job answers to the records of a part, shuffled: each with its request, as Bedrock does. */
export async function writeTextOutput(recordsPath: string, path: string): Promise<void> {
  await using writer = openLineWriter(path);
  const lines = (await readFile(recordsPath, 'utf8')).split('\n').slice(0, -1);
  for (let index = 0; index < lines.length; index++) {
    const { recordId, modelInput } = JSON.parse(lines[(index * STRIDE) % lines.length] ?? '');
    const [{ text }] = modelInput.messages[0].content;
    const answer = `Made up of the question: ${text.slice(0, ANSWER_CHARACTERS).toWellFormed()}`;
    await writer.write({
      modelInput,
      modelOutput: {
        output: { message: { role: 'assistant', content: [{ text: answer }] } },
        stopReason: 'end_turn',
        usage: { inputTokens: 300, outputTokens: 100 },
      },
      recordId,
    });
  }
  await writer.end();
}

/** What a job answers to the rows of `writeEmbeddedRows`, shuffled. */
export async function writeEmbeddingOutput(path: string, rows: number): Promise<void> {
  await using writer = openLineWriter(path);
  for (let index = 0; index < rows; index++) {
    const row = (index * STRIDE) % rows;
    await writer.write({
      modelInput: { inputText: `text ${row}` },
      modelOutput: {
        embedding: Array.from({ length: DIMENSIONS }, (_, d) => Math.sin(row * DIMENSIONS + d)),
        inputTextTokenCount: 9,
      },
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
