/** One measurement of the data plane, in a process of its own: `node data-plane-task.ts DIRECTORY TASK [ARGUMENT...]`. */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import pLimit from 'p-limit';
import { Dataset } from '../src/core/plan/part.ts';
import type { S3Uri } from '../src/core/s3-uri.ts';
import { converse } from '../src/models/adapters/converse.ts';
import { titanTextEmbeddings } from '../src/models/adapters/titan-text-embeddings.ts';
import type { OutputShape } from '../src/models/output-shape.ts';
import { parsePromptTemplate } from '../src/prompts/prompt-template.ts';
import { collectPart } from '../src/rows/collect/collect-part.ts';
import type { ParquetCopy } from '../src/rows/duckdb/parquet.ts';
import { prepareSlice } from '../src/rows/prepare/prepare-slice.ts';
import { resultColumnsOf } from '../src/rows/results/result-columns.ts';
import { describeDataset } from '../src/rows/sources/describe-dataset.ts';
import { partsOf } from './made-data.ts';
import { collectRowByRow, prepareRowByRow } from './row-by-row.ts';
import { PROMPT_TEMPLATE } from './simple-cot.ts';

/** What a process says of itself when it ends. */
export interface TaskReport {
  /** Of the work alone, without the process's start. */
  workSeconds: number;
  /** Of all threads, from the process's start on. */
  cpuSeconds: number;
  peakMb: number;
}

/** Parts that are collected at once, as many as there are cores. */
const COLLECTED_AT_ONCE = 2;

const [directory = '', task = '', ...given] = process.argv.slice(2);
const started = performance.now();
await run();
const { user, system } = process.cpuUsage();
const report: TaskReport = {
  workSeconds: (performance.now() - started) / 1000,
  cpuSeconds: (user + system) / 1e6,
  peakMb: process.resourceUsage().maxRSS / 1024,
};
console.log(JSON.stringify(report));

async function run(): Promise<void> {
  const [first = '', ...rest] = given;
  switch (task) {
    case 'describe':
      return describe(first);
    case 'prepare':
      return prepare(first, 'uncompressed');
    case 'prepare-for-network':
      return prepare(first, 'snappy');
    case 'collect':
      return collectText(first);
    case 'collect-embeddings':
      return collect(
        { rowsPath: 'embedded.parquet', output: 'embedding.out', result: 'result.parquet' },
        titanTextEmbeddings.output,
      );
    case 'row-by-row-prepare':
      return prepareRowByRow(directory, first);
    case 'row-by-row-collect':
      return collectRowByRow(directory);
    case 'copy':
      return copy(Number(first), rest);
  }
  throw new Error(`There is no task "${task}".`);
}

/** What Plan does with the data: Prepare is another step, and reads what it wrote. */
async function describe(name: string): Promise<void> {
  const path = join(directory, name);
  const uri: S3Uri = `s3://bench/${name}`;
  const dataset = await describeDataset([{ uri, path, bytes: (await stat(path)).size, etag: '' }]);
  await writeFile(join(directory, 'dataset.json'), JSON.stringify(dataset));
}

async function prepare(name: string, rowsCompression: ParquetCopy['compression']): Promise<void> {
  const path = join(directory, name);
  const uri: S3Uri = `s3://bench/${name}`;
  const dataset = Dataset.parse(JSON.parse(await readFile(join(directory, 'dataset.json'), 'utf8')));
  await mkdir(join(directory, 'parts'), { recursive: true });
  await prepareSlice({
    slice: {
      slice: 0,
      reads: [{ uri, first_row: 0, first_row_in_file: 0, rows: dataset.rows }],
      parts: partsOf(dataset.rows).map(({ firstRow, rows }, index) => ({
        part_id: String(index),
        variant: 0,
        first_row: firstRow,
        rows,
      })),
    },
    dataset,
    fileOf: (of) => ({ uri: of, path }),
    frame: {
      segments: [
        { kind: 'text', text: '{"messages":[{"role":"user","content":[{"text":' },
        { kind: 'string', pieces: parsePromptTemplate(PROMPT_TEMPLATE) },
        { kind: 'text', text: '}]}],"inferenceConfig":{"maxTokens":512}}' },
      ],
    },
    recordIdColumn: undefined,
    maxBytes: 1024 ** 3,
    rowsCompression,
    scratchDirectory: join(directory, 'scratch'),
    emit: async (part, { recordsPath, rowsPath }) => {
      await rename(recordsPath, join(directory, 'parts', `${part.part_id}.jsonl`));
      await rename(rowsPath, join(directory, 'parts', `${part.part_id}.parquet`));
    },
  });
}

/** One part, or all of them. */
async function collectText(part: string): Promise<void> {
  const files = await readdir(join(directory, 'parts'));
  const parts = part === 'all' ? files.flatMap((name) => /^(\d+)\.out$/.exec(name)?.[1] ?? []) : [part];
  const limit = pLimit(COLLECTED_AT_ONCE);
  const paths = (id: string) => ({
    rowsPath: `parts/${id}.parquet`,
    output: `parts/${id}.out`,
    result: `parts/${id}.result.parquet`,
  });
  await Promise.all(parts.map((id) => limit(() => collect(paths(id), converse.output))));
}

async function collect(
  { rowsPath, output, result }: { rowsPath: string; output: string; result: string },
  shape: OutputShape,
): Promise<void> {
  const { rows } = await collectPart({
    rowsPath: join(directory, rowsPath),
    outputPaths: [join(directory, output)],
    columns: resultColumnsOf({ shape, outputColumn: 'response', recordIdColumn: undefined }),
    retry: { maxAttempts: 3, retryTruncated: false, retryRefused: false },
    unanswered: () => ({ errorCode: 'MissingOutput', errorMessage: '', sent: true }),
    resultPath: join(directory, result),
    scratchDirectory: join(directory, 'scratch', output),
  });
  if (rows.succeeded !== rows.total) throw new Error(`Not every row succeeded: ${JSON.stringify(rows)}`);
}

/** Reads and writes as many bytes as a measurement does. */
async function copy(writtenBytes: number, reads: readonly string[]): Promise<void> {
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
