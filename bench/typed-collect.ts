/**
 * Collects parts of a run with a schema of five properties, and the same parts as texts, in turn, each in a process of its own:
 * `npm run bench:typed -- [--rows 100000] [--parts 1] [--rounds 5]`. 22 parts are the article's 2.2 million rows.
 */
import { mkdir, mkdtempDisposable, rm } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pLimit from 'p-limit';
import { bundle } from '../scripts/bundle.ts';
import { recordIdOf } from '../src/core/record-id.ts';
import { answerSchemaOf } from '../src/core/run-input/output-schema.ts';
import { converse } from '../src/models/adapters/converse.ts';
import { openLineWriter } from '../src/rows/bytes/line-writer.ts';
import { collectPart } from '../src/rows/collect/collect-part.ts';
import { openDuckDb } from '../src/rows/duckdb/duckdb.ts';
import { resultColumnsOf } from '../src/rows/results/result-columns.ts';
import { type Measured, measureProcess } from './measured-process.ts';

const SCHEMA = answerSchemaOf({
  mood: 'good | bad | mixed',
  score: 'number 0..1',
  stars: 'integer 1..5',
  topics: 'string[]',
  reason: 'string?',
});
const MOODS = ['good', 'bad', 'mixed'];
const REASON = 'It came on the second day, and does what the page says that it does. ';
const QUESTION = 'What does the customer say of the parcel, of the lid and of the colour? ';
/** Parts that are collected at once, as many as there are cores. */
const AT_ONCE = 2;
/** A prime: every row comes once, unless their number is a multiple of it. */
const STRIDE = 7_919;

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '100000' },
    parts: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '5' },
    dir: { type: 'string', default: tmpdir() },
    // What a process of its own is to do.
    collect: { type: 'string' },
    in: { type: 'string', default: '' },
  },
});
const [rows, parts, rounds] = [values.rows, values.parts, values.rounds].map(Number) as [
  number,
  number,
  number,
];
if (values.collect === undefined) await measure();
else await collectAll(values.in, values.collect === 'typed');

async function measure(): Promise<void> {
  const script = join(import.meta.dirname, '.data', 'typed-collect.mjs');
  await bundle(join(import.meta.dirname, 'typed-collect.ts'), script);
  await using directory = await mkdtempDisposable(join(values.dir, 'quarry-bench-'));
  await writeRows(directory.path);
  await writeOutput(directory.path);
  const run = (what: string) =>
    measureProcess(process.execPath, [
      script,
      '--collect',
      what,
      '--in',
      directory.path,
      '--parts',
      values.parts,
    ]);
  run('text');
  const pairs: { text: Measured; typed: Measured }[] = [];
  for (let round = 0; round < rounds; round += 1) pairs.push({ text: run('text'), typed: run('typed') });
  const load = loadavg().map((value) => value.toFixed(1));
  console.log(
    `${parts} parts of ${rows} rows, ${rounds} pairs; ${cpus()[0]?.model.trim()}, ${cpus().length} cores, load ${load.join(' ')}`,
  );
  for (const what of ['text', 'typed'] as const) {
    const all = pairs.map((pair) => pair[what]);
    const peak = Math.round(Math.max(...all.map(({ peakMb }) => peakMb)));
    console.log(
      `${what.padEnd(6)} ${median(all.map(({ seconds }) => seconds)).toFixed(2)} s, CPU ${median(all.map(({ cpuSeconds }) => cpuSeconds)).toFixed(2)} s, peak ${peak} MB`,
    );
  }
  const ratio = (of: (measured: Measured) => number) =>
    median(pairs.map(({ text, typed }) => of(typed) / of(text))).toFixed(2);
  console.log(
    `typed / text: ${ratio(({ seconds }) => seconds)} as long, ${ratio(({ cpuSeconds }) => cpuSeconds)} the CPU, ${ratio(({ peakMb }) => peakMb)} the memory`,
  );
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[Math.floor((numbers.length - 1) / 2)] ?? Number.NaN;
}

/** Rows of a part as Prepare leaves them, of half a kilobyte each. */
async function writeRows(directory: string): Promise<void> {
  await using db = await openDuckDb({ memoryMb: 500, threads: 1, scratchDirectory: directory });
  await db.run(`COPY (SELECT n AS id, n || ${`'${QUESTION}'`} || md5(CAST(n AS VARCHAR)) || repeat('${QUESTION}', 6) AS question,
      format('r{:010d}', n) AS __quarry_record_id, CAST(NULL AS VARCHAR) AS __quarry_error_code
    FROM range(${rows}) r(n)) TO '${join(directory, 'rows.parquet')}' (FORMAT PARQUET, ROW_GROUP_SIZE 10240)`);
}

/** What a job answers to them, shuffled: each with its request, as Bedrock does. */
async function writeOutput(directory: string): Promise<void> {
  await using writer = openLineWriter(join(directory, 'part.out'));
  for (let index = 0; index < rows; index += 1) {
    const row = (index * STRIDE) % rows;
    const answer = {
      mood: MOODS[row % MOODS.length],
      score: (row % 101) / 100,
      stars: 1 + (row % 5),
      topics: [`topic ${row % 17}`, 'delivery'],
      reason: row % 10 === 0 ? null : `${REASON.repeat(4)}${row}`,
    };
    await writer.write({
      modelInput: { messages: [{ role: 'user', content: [{ text: `${row}${QUESTION.repeat(7)}` }] }] },
      modelOutput: {
        output: { message: { role: 'assistant', content: [{ text: JSON.stringify(answer) }] } },
        stopReason: 'end_turn',
        usage: { inputTokens: 300, outputTokens: 100 },
      },
      recordId: recordIdOf(row),
    });
  }
  await writer.end();
}

async function collectAll(directory: string, isTyped: boolean): Promise<void> {
  const started = performance.now();
  const limit = pLimit(AT_ONCE);
  await Promise.all(
    Array.from({ length: parts }, (_, part) => limit(() => collectOne(directory, part, isTyped))),
  );
  const { user, system } = process.cpuUsage();
  console.log(
    JSON.stringify({
      workSeconds: (performance.now() - started) / 1000,
      cpuSeconds: (user + system) / 1e6,
      peakMb: process.resourceUsage().maxRSS / 1024,
    }),
  );
}

async function collectOne(directory: string, part: number, isTyped: boolean): Promise<void> {
  const scratchDirectory = join(directory, `scratch-${part}`);
  const resultPath = join(directory, `${part}.parquet`);
  await mkdir(scratchDirectory, { recursive: true });
  const collected = await collectPart({
    rowsPath: join(directory, 'rows.parquet'),
    outputPaths: [join(directory, 'part.out')],
    columns: resultColumnsOf({
      shape: converse.output,
      outputColumn: 'response',
      recordIdColumn: undefined,
      schema: isTyped ? SCHEMA : undefined,
    }),
    retry: { maxAttempts: 3, retryTruncated: false, retryRefused: false },
    unanswered: () => ({ errorCode: 'MissingOutput', errorMessage: '', sent: true }),
    resultPath,
    scratchDirectory,
  });
  await rm(resultPath);
  await rm(scratchDirectory, { recursive: true, force: true });
  if (collected.rows.succeeded !== collected.rows.total || collected.rows.total === 0) {
    throw new Error(`Not every row succeeded: ${JSON.stringify(collected)}`);
  }
}
