/**
 * Measures the data plane beside a plain copy of the same bytes, beside the same work row by row in TypeScript and,
 * where `.venv/bench` is there (scripts/bench-python.sh), in Python: `npm run bench -- [rows] [--small]`. Every
 * measurement runs in a process of its own, so that its peak memory is its own.
 */
import { spawnSync } from 'node:child_process';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { balancedRanges } from '../src/core/packing.ts';
import { recordIdOf } from '../src/core/record-id.ts';
import type { S3Uri } from '../src/core/s3-uri.ts';
import { collectPart } from '../src/dataset/collect-part.ts';
import { describeDataset } from '../src/dataset/describe.ts';
import { openDuckDb } from '../src/dataset/duckdb.ts';
import { openLineWriter } from '../src/dataset/line-writer.ts';
import { prepareSlice } from '../src/dataset/prepare-slice.ts';
import type { OutputShape } from '../src/models/output-shape.ts';
import { parsePromptTemplate } from '../src/prompts/prompt-template.ts';
import { collectRowByRow, prepareRowByRow } from './row-by-row.ts';

const PART_ROWS = 50_000;
const DIMENSIONS = 1_024;

const TEXT: OutputShape = {
  kind: 'text',
  blocks: ['output', 'message', 'content'],
  text: ['text'],
  stopReason: ['stopReason'],
  inputTokens: ['usage', 'inputTokens'],
  outputTokens: ['usage', 'outputTokens'],
};
const EMBEDDING: OutputShape = {
  kind: 'embedding',
  embedding: ['embedding'],
  inputTokens: ['inputTextTokenCount'],
};

interface Measured {
  seconds: number;
  /** Of all threads; on a shared machine it says more than the clock. */
  cpuSeconds: number;
  peakMb: number;
}

/** Rows shaped like simpleCoT: a source of about 1,100 characters, a rationale of about 400, a target, an id. */
async function writeInput(directory: string, rows: number): Promise<void> {
  await using db = await openDuckDb({ memoryMb: 4_000, threads: 2, scratchDirectory: directory });
  const words = (count: string, seed: number) =>
    `array_to_string(list_transform(range(CAST(${count} AS BIGINT)), lambda i: words[CAST(1 + hash(row * ${seed} + i) % 5000 AS BIGINT)]), ' ')`;
  await db.run(`CREATE TABLE input AS SELECT
      ${words('100 + hash(row) % 120', 131)} || CASE WHEN row % 17 = 0 THEN ' "q" \\ ' || chr(10) || 'é😀 {source} $&' ELSE '' END AS "source",
      ${words('30 + hash(row + 7) % 60', 37)} AS "rationale",
      CASE row % 5 WHEN 0 THEN 'yes' WHEN 1 THEN 'no' ELSE substr(md5(CAST(row AS VARCHAR)), 1, 9) END AS "target", row AS "id"
    FROM range(${rows}) AS r(row), (SELECT list(substr(md5(CAST(n AS VARCHAR)), 1, CAST(3 + n % 7 AS BIGINT))) AS words FROM range(5000) AS w(n))
    ORDER BY row`);
  await db.run(`COPY input TO '${join(directory, 'input.parquet')}' (FORMAT PARQUET)`);
  await db.run(
    `COPY input TO '${join(directory, 'input-10k.parquet')}' (FORMAT PARQUET, ROW_GROUP_SIZE 10240)`,
  );
  await db.run(`COPY input TO '${join(directory, 'input.csv')}' (FORMAT CSV)`);
  await db.run(`COPY input TO '${join(directory, 'input.jsonl')}' (FORMAT JSON)`);
}

/** One part's output, shuffled. */
async function writeOutput(path: string, shape: OutputShape, rows: number): Promise<void> {
  await using writer = openLineWriter(path);
  const echo = 'lorem ipsum dolor sit amet '.repeat(40);
  for (let index = 0; index < rows; index++) {
    const row = (index * 7_919) % rows;
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

async function prepare(directory: string, name: string, maxParts = Number.POSITIVE_INFINITY): Promise<void> {
  const path = join(directory, name);
  const uri: S3Uri = `s3://bench/${name}`;
  const dataset = await describeDataset([{ uri, path, bytes: (await stat(path)).size, etag: '' }]);
  const parts = balancedRanges({ firstRow: 0, rows: dataset.rows }, Math.ceil(dataset.rows / PART_ROWS));
  await mkdir(join(directory, 'parts'), { recursive: true });
  await prepareSlice({
    slice: {
      slice: 0,
      reads: [{ uri, first_row: 0, first_row_in_file: 0, rows: dataset.rows }],
      parts: parts
        .slice(0, maxParts)
        .map(({ firstRow, rows }, index) => ({ part_id: String(index), first_row: firstRow, rows })),
    },
    dataset,
    fileOf: (of) => ({ uri: of, path }),
    frame: {
      prompt: parsePromptTemplate('Explain: {source} because {rationale}'),
      before: '{"messages":[{"role":"user","content":[{"text":',
      after: '}]}],"inferenceConfig":{"maxTokens":512}}',
    },
    recordIdColumn: undefined,
    maxBytes: 1024 ** 3,
    scratchDirectory: join(directory, 'scratch'),
    emit: async (part, { recordsPath, rowsPath }) => {
      await rename(recordsPath, join(directory, 'parts', `${part.part_id}.jsonl`));
      await rename(rowsPath, join(directory, 'parts', `${part.part_id}.parquet`));
    },
  });
}

async function collect(directory: string, output: string, shape: OutputShape): Promise<void> {
  const { rows } = await collectPart({
    rowsPath: join(directory, 'parts', '0.parquet'),
    outputPaths: [join(directory, output)],
    shape,
    outputColumn: 'output',
    recordIdColumn: undefined,
    retry: { maxAttempts: 3, retryTruncated: false, retryRefused: false },
    unanswered: { errorCode: 'MissingOutput', errorMessage: '', sent: true },
    resultPath: join(directory, 'result.parquet'),
    scratchDirectory: join(directory, 'scratch'),
  });
  if (rows.succeeded !== rows.total) throw new Error(`Not every row succeeded: ${JSON.stringify(rows)}`);
}

/** Reads and writes as many bytes as a measurement does. */
async function copy(directory: string, reads: string[], writtenBytes: number): Promise<void> {
  for (const name of reads) {
    for await (const _chunk of createReadStream(join(directory, name), { highWaterMark: 1 << 20 }));
  }
  const zeros = Buffer.alloc(1 << 20);
  async function* bytes() {
    for (let left = writtenBytes; left > 0; left -= zeros.length)
      yield zeros.subarray(0, Math.min(left, zeros.length));
  }
  await pipeline(bytes(), createWriteStream(join(directory, 'copy')));
}

/** Runs one measurement in a process of its own. */
function measure(directory: string, task: string): Measured {
  const run = spawnSync(process.execPath, [import.meta.filename, '--task', task, '--directory', directory], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (run.status !== 0) throw new Error(`${task} failed.`);
  return JSON.parse(run.stdout);
}

async function runTask(task: string, directory: string): Promise<Measured> {
  const [kind, subject = '', bytes = '0', ...reads] = task.split(':');
  const started = performance.now();
  const cpuStarted = process.cpuUsage();
  if (kind === 'prepare') await prepare(directory, subject);
  else if (kind === 'row-by-row-prepare') await prepareRowByRow(directory, subject);
  else if (kind === 'row-by-row-collect') await collectRowByRow(directory);
  else if (kind === 'collect') await collect(directory, subject, subject === 'text.out' ? TEXT : EMBEDDING);
  else await copy(directory, [subject, ...reads], Number(bytes));
  const { user, system } = process.cpuUsage(cpuStarted);
  return {
    seconds: (performance.now() - started) / 1000,
    cpuSeconds: (user + system) / 1e6,
    peakMb: process.resourceUsage().maxRSS / 1024,
  };
}

/** The recipe in Python; undefined where there is none with pandas. */
function measurePython(directory: string, task: 'prepare' | 'collect'): Measured | undefined {
  const script = join(import.meta.dirname, 'row_by_row.py');
  const run = spawnSync('.venv/bench/bin/python', [script, task, directory], { encoding: 'utf8' });
  if (run.error !== undefined) return undefined;
  if (run.status !== 0) throw new Error(`${task} in Python failed: ${run.stderr}`);
  return JSON.parse(run.stdout);
}

async function sizeOf(directory: string, names: string[]): Promise<number> {
  const sizes = await Promise.all(names.map((name) => stat(join(directory, name))));
  return sizes.reduce((sum, { size }) => sum + size, 0);
}

async function main(rows: number): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'quarry-bench-'));
  const print = (name: string, count: number, measured: Measured, plain: Measured) =>
    console.log(
      [
        name.padEnd(32),
        `${measured.seconds.toFixed(2)} s (CPU ${measured.cpuSeconds.toFixed(2)} s)`,
        `${Math.round(count / measured.seconds)} rows/s`,
        `${Math.round(measured.peakMb)} MB`,
        `${(measured.seconds / plain.seconds).toFixed(1)} x a plain copy (${plain.seconds.toFixed(2)} s, CPU ${plain.cpuSeconds.toFixed(2)} s)`,
      ].join('  '),
    );
  const compare = (name: string, quarry: Measured, other: Measured | undefined) =>
    console.log(
      other === undefined
        ? `${name}: not measured (run scripts/bench-python.sh first)`
        : `${name.padEnd(32)}  ${other.seconds.toFixed(2)} s (CPU ${other.cpuSeconds.toFixed(2)} s)  ${Math.round(other.peakMb)} MB: Quarry is ${(other.seconds / quarry.seconds).toFixed(1)} x as fast, for ${(other.cpuSeconds / quarry.cpuSeconds).toFixed(1)} x less CPU`,
    );
  try {
    await writeInput(directory, rows);
    const parts = Array.from({ length: Math.ceil(rows / PART_ROWS) }, (_, index) => String(index));
    for (const name of ['input.csv', 'input.jsonl', 'input.parquet', 'input-10k.parquet']) {
      const measured = measure(directory, `prepare:${name}`);
      const written = await sizeOf(
        directory,
        parts.flatMap((part) => [`parts/${part}.jsonl`, `parts/${part}.parquet`]),
      );
      print(`describe, prepare ${name}`, rows, measured, measure(directory, `copy:${name}:${written}`));
      if (name === 'input.csv') compare('  Python, from CSV', measured, measurePython(directory, 'prepare'));
      if (name === 'input.parquet') {
        compare('  TypeScript, from Parquet', measured, measure(directory, `row-by-row-prepare:${name}`));
        compare('  Python, from CSV', measured, measurePython(directory, 'prepare'));
      }
    }
    const partRows = balancedRanges({ firstRow: 0, rows }, parts.length)[0]?.rows ?? 0;
    for (const [name, shape] of [
      ['text.out', TEXT],
      ['embedding.out', EMBEDDING],
    ] as const) {
      await writeOutput(join(directory, name), shape, partRows);
      const measured = measure(directory, `collect:${name}`);
      const written = await sizeOf(directory, ['result.parquet']);
      print(
        `collect ${name} (one part)`,
        partRows,
        measured,
        measure(directory, `copy:${name}:${written}:parts/0.parquet`),
      );
      if (shape.kind === 'text') {
        compare('  TypeScript', measured, measure(directory, 'row-by-row-collect'));
        compare('  Python', measured, measurePython(directory, 'collect'));
      }
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    task: { type: 'string' },
    directory: { type: 'string' },
    small: { type: 'boolean', default: false },
  },
});
if (values.task !== undefined && values.directory !== undefined) {
  console.log(JSON.stringify(await runTask(values.task, values.directory)));
} else {
  await main(Number(positionals[0] ?? (values.small ? 22_000 : 220_000)));
}
