import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import type { Dataset, PlannedPart, PreparedPart } from '../../src/core/plan/part.ts';
import { toS3Uri } from '../../src/core/s3-uri.ts';
import { anthropicMessages } from '../../src/models/adapters/anthropic-messages.ts';
import { openaiGptOss } from '../../src/models/adapters/openai-gpt-oss.ts';
import { CONVERSE_OUTPUT } from '../../src/models/converse-message.ts';
import type { OutputShape } from '../../src/models/output-shape.ts';
import type { RecordFrame } from '../../src/models/record-frame.ts';
import { parsePromptTemplate } from '../../src/prompts/prompt-template.ts';
import { type CollectRequest, collectPart } from '../../src/rows/collect/collect-part.ts';
import { openDuckDb } from '../../src/rows/duckdb/duckdb.ts';
import { type PrepareRequest, prepareSlice } from '../../src/rows/prepare/prepare-slice.ts';
import { type ResultColumnsRequest, resultColumnsOf } from '../../src/rows/results/result-columns.ts';
import { describeDataset, type LocalDatasetFile } from '../../src/rows/sources/describe-dataset.ts';

export const CONVERSE: OutputShape = CONVERSE_OUTPUT;

export const ANTHROPIC: OutputShape = anthropicMessages.output;
/** Chat completions, where thoughts stand before the answer. */
export const GPT_OSS: OutputShape = openaiGptOss.output;
export const TITAN: OutputShape = {
  kind: 'embedding',
  embedding: ['embedding'],
  inputTokens: ['inputTextTokenCount'],
};
/** Where Amazon Titan Text Embeddings V2 has the bits of a text. */
export const TITAN_BITS: OutputShape = {
  kind: 'embedding',
  embedding: ['embeddingsByType', 'binary'],
  numbers: 'bits',
  inputTokens: ['inputTextTokenCount'],
};

const directories: string[] = [];
afterEach(async () => {
  for (const directory of directories.splice(0)) await rm(directory, { recursive: true, force: true });
});

/** A directory that is gone after the test. */
export async function createDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'quarry-test-'));
  directories.push(directory);
  return directory;
}

/** A dataset file with this content. */
export async function writeSource(name: string, content: string | Uint8Array): Promise<LocalDatasetFile> {
  const directory = await createDirectory();
  const path = join(directory, name.replaceAll('/', '_'));
  await writeFile(path, content);
  return describeFile(name, path);
}

/** A dataset file that is there already. */
export async function describeFile(name: string, path: string): Promise<LocalDatasetFile> {
  const { size } = await stat(path);
  return { uri: toS3Uri({ bucket: 'data', key: name }), bytes: size, etag: 'e', path };
}

/** A dataset file that DuckDB writes. */
export async function writeParquet(name: string, sql: string, options = ''): Promise<LocalDatasetFile> {
  const directory = await createDirectory();
  const path = join(directory, name.replaceAll('/', '_'));
  await using db = await openDuckDb({ memoryMb: 512, threads: 1, scratchDirectory: directory });
  await db.run(`COPY (${sql}) TO '${path}' (FORMAT PARQUET${options})`);
  return describeFile(name, path);
}

/** Rows of a Parquet file as DuckDB gives them, with values as text where JSON has none. */
export async function query(sql: string): Promise<Record<string, unknown>[]> {
  const scratchDirectory = await createDirectory();
  await using db = await openDuckDb({ memoryMb: 512, threads: 1, scratchDirectory });
  return await db.rows(sql);
}

/** Columns of a query, with their types. */
export async function typesOf(path: string): Promise<Record<string, string>> {
  const rows = await query(`DESCRIBE SELECT * FROM '${path}'`);
  return Object.fromEntries(
    rows.map(({ column_name, column_type }) => [String(column_name), String(column_type)]),
  );
}

/** What stands around the prompt in `converseFrame`. */
export const CONVERSE_BODY = {
  before: '{"messages":[{"role":"user","content":[{"text":',
  after: '}]}],"inferenceConfig":{"maxTokens":10}}',
};

/** A frame like Converse's, around a template. */
export function converseFrame(template: string): RecordFrame {
  return {
    segments: [
      { kind: 'text', text: CONVERSE_BODY.before },
      { kind: 'string', pieces: parsePromptTemplate(template) },
      { kind: 'text', text: CONVERSE_BODY.after },
    ],
  };
}

/** A part that was prepared, and where its files are. */
export interface Prepared {
  part: PreparedPart;
  recordsPath: string;
  rowsPath: string;
}

/** Prepares a whole dataset as one slice, in parts of `rowsPerPart`. */
export async function prepareAll(
  files: readonly LocalDatasetFile[],
  template: string,
  {
    rowsPerPart = 1e9,
    dataset,
    ...options
  }: { rowsPerPart?: number; dataset?: Dataset } & Partial<PrepareRequest> = {},
): Promise<Prepared[]> {
  const described = dataset ?? (await describeDataset(files));
  const directory = await createDirectory();
  const parts: PlannedPart[] = [];
  for (let first = 0; first < described.rows; first += rowsPerPart) {
    const rows = Math.min(rowsPerPart, described.rows - first);
    parts.push({ part_id: `p${parts.length}`, variant: 0, first_row: first, rows });
  }
  let first_row = 0;
  const reads = described.files.map(({ uri, rows }) => {
    const read = { uri, first_row_in_file: 0, rows, first_row };
    first_row += rows;
    return read;
  });
  const prepared: Prepared[] = [];
  await prepareSlice({
    slice: { slice: 0, reads, parts },
    dataset: described,
    fileOf: (uri) => ({ uri, path: files.find((file) => file.uri === uri)?.path ?? '' }),
    frame: converseFrame(template),
    recordIdColumn: undefined,
    maxBytes: 1e9,
    rowsCompression: 'uncompressed',
    scratchDirectory: join(directory, 'scratch'),
    emit: async (part, { recordsPath, rowsPath }) => {
      const target = join(directory, part.part_id);
      await mkdir(target);
      await rename(recordsPath, join(target, 'records.jsonl'));
      await rename(rowsPath, join(target, 'rows.parquet'));
      prepared.push({
        part,
        recordsPath: join(target, 'records.jsonl'),
        rowsPath: join(target, 'rows.parquet'),
      });
    },
    ...options,
  });
  return prepared;
}

/** A record, as the JSONL has it. */
export interface TestRecord {
  recordId: string;
  modelInput: { messages: { content: { text: string }[] }[] };
}

/** The records of a JSONL file. */
export async function readRecords(path: string): Promise<TestRecord[]> {
  const lines = (await readFile(path, 'utf8')).split('\n');
  return lines.slice(0, -1).map((line) => JSON.parse(line));
}

/** The prompt of a record of `converseFrame`. */
export function promptOf(record: TestRecord | undefined): string | undefined {
  return record?.modelInput.messages[0]?.content[0]?.text;
}

/** A Converse answer, with the nulls that batch files have. */
export function converseLine(recordId: string, text: string): string {
  return JSON.stringify({
    modelInput: { messages: [] },
    modelOutput: {
      output: { message: { role: 'assistant', content: [{ text, image: null, toolUse: null }] } },
      stopReason: 'end_turn',
      usage: { inputTokens: 3, outputTokens: 2, totalTokens: 5, cacheReadInputTokens: null },
      trace: null,
    },
    error: null,
    recordId,
  });
}

/** Columns of results: Converse's, but for what is told. */
export function columnsOf(request: Partial<ResultColumnsRequest> = {}): ReturnType<typeof resultColumnsOf> {
  return resultColumnsOf({
    shape: CONVERSE,
    outputColumn: undefined,
    recordIdColumn: undefined,
    ...request,
  });
}

/** Collects a part whose job left these output files, each a text or bytes. */
export async function collect(
  rowsPath: string,
  outputs: readonly (string | Uint8Array)[],
  options: Partial<CollectRequest> = {},
): Promise<Awaited<ReturnType<typeof collectPart>> & { resultPath: string }> {
  const directory = await createDirectory();
  const outputPaths: string[] = [];
  for (const [index, output] of outputs.entries()) {
    const path = join(directory, `${index}.jsonl.out`);
    await writeFile(path, output);
    outputPaths.push(path);
  }
  const resultPath = join(directory, 'result.parquet');
  const collected = await collectPart({
    rowsPath,
    outputPaths,
    columns: columnsOf(),
    retry: { maxAttempts: 3, retryTruncated: false, retryRefused: false },
    unanswered: () => ({
      errorCode: 'MissingOutput',
      errorMessage: 'The job left no output for it.',
      sent: true,
    }),
    resultPath,
    scratchDirectory: join(directory, 'scratch'),
    ...options,
  });
  return { ...collected, resultPath };
}
