import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { addAbortSignal, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { InvalidDatasetError } from '../core/errors.ts';
import { GivenFormat } from '../core/run-input/dataset-input.ts';
import { joinS3Uri, type S3Uri } from '../core/s3-uri.ts';
import { diskFaultOf } from '../store/disk-fault.ts';
import type { RunWorkOptions } from './runs/run-work.ts';

/** Rows as a program has them. */
export type StagedRows = Iterable<unknown> | AsyncIterable<unknown>;

/** Where rows are put, who is told of it, and what stops it. */
export type StageRowsOptions = Pick<RunWorkOptions, 'files' | 'signal' | 'tell' | 'spell'>;

/** Characters of JSON lines that are written at once. */
const CHUNK_CHARACTERS = 64 * 1024;

/** How a stream of bytes is packed, by its first ones. https://www.rfc-editor.org/rfc/rfc1952, https://www.rfc-editor.org/rfc/rfc8878 */
const PACKINGS: readonly { magic: Buffer; ending: string }[] = [
  { magic: Buffer.from([0x1f, 0x8b]), ending: '.gz' },
  { magic: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), ending: '.zst' },
];

/**
 * Streams rows into the store as JSONL, under a name that is made of their content: the same rows are the same `s3_uri`. At
 * no time are more than a few of them in memory.
 */
export function stageRows(rows: StagedRows, options: StageRowsOptions): Promise<S3Uri> {
  return stageChunks(jsonLinesOf(rowsUntil(options.signal, rows)), {
    ...options,
    nameOf: () => 'rows.jsonl',
  });
}

/** Streams the bytes of one file into the store in the same way; `format` says what they are. */
export async function stageBytes(
  stream: Readable,
  { format, ...options }: StageRowsOptions & { format: unknown },
): Promise<S3Uri> {
  try {
    const { success, data } = GivenFormat.safeParse(format);
    if (!success) {
      const { spell } = options;
      throw new InvalidDatasetError(
        `A stream of bytes has no name that says what is in it. Say it with ${spell('format')}: ${GivenFormat.options.join(', ')}.`,
      );
    }
    const nameOf = (head: Buffer) => {
      const packing = PACKINGS.find(({ magic }) => head.subarray(0, magic.length).equals(magic));
      return `stream.${data}${packing?.ending ?? ''}`;
    };
    // A signal has to end it even while it waits for more.
    const bytes = bytesOf(addAbortSignal(options.signal, stream));
    return await stageChunks(bytes, { ...options, nameOf });
  } finally {
    // One that waits for more would keep the process alive.
    stream.destroy();
  }
}

/** Streams a file's content into the store; `nameOf` names it, by its first bytes. */
async function stageChunks(
  chunks: AsyncIterable<string | Uint8Array>,
  { files, signal, tell, nameOf }: StageRowsOptions & { nameOf: (head: Buffer) => string },
): Promise<S3Uri> {
  const folder = join(files.dir, '.scratch', `rows-${randomUUID()}`);
  const path = join(folder, 'content');
  const hash = createHash('sha256');
  let head = Buffer.alloc(0);
  try {
    await mkdir(folder, { recursive: true });
    await pipeline(
      chunks,
      async function* (source: AsyncIterable<string | Uint8Array>) {
        for await (const chunk of source) {
          hash.update(chunk);
          if (head.length < 4) head = Buffer.concat([head, Buffer.from(chunk).subarray(0, 4)]);
          yield chunk;
        }
      },
      createWriteStream(path),
      { signal },
    );
    const name = nameOf(head);
    if (files.store.localPath === undefined) {
      await rename(path, join(folder, name));
      return (await files.stage([join(folder, name)], { onProgress: tell, signal })).uri;
    }
    const uri = joinS3Uri(`s3://${files.bucket}`, 'datasets', hash.digest('hex').slice(0, 16), name);
    const there = await files.store.head(uri);
    // Moved there, where the file is this machine's own.
    if (there?.size !== (await stat(path)).size) await files.store.putFile(path, uri);
    return uri;
  } catch (error) {
    throw diskFaultOf(error) ?? error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function* bytesOf(stream: Readable): AsyncGenerator<string | Uint8Array> {
  let isEmpty = true;
  for await (const chunk of stream) {
    isEmpty &&= chunk.length === 0;
    yield chunk;
  }
  if (isEmpty) throw new InvalidDatasetError('The dataset is empty: its stream ended without a byte.');
}

/** The rows, until the signal is aborted: it has to end them even while the next one does not come. */
function rowsUntil(signal: AbortSignal, rows: StagedRows): StagedRows {
  return Symbol.asyncIterator in rows ? asyncRowsUntil(signal, rows) : rows;
}

async function* asyncRowsUntil(signal: AbortSignal, rows: AsyncIterable<unknown>): AsyncGenerator<unknown> {
  const iterator = rows[Symbol.asyncIterator]();
  let stop = () => {};
  const onAbort = () => stop();
  signal.addEventListener('abort', onAbort);
  let hasEnded = false;
  try {
    for (;;) {
      const next = await new Promise<IteratorResult<unknown>>((resolve, reject) => {
        stop = () => reject(signal.reason);
        signal.throwIfAborted();
        iterator.next().then(resolve, reject);
      });
      hasEnded = next.done === true;
      if (hasEnded) return;
      yield next.value;
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    // Not waited for: where the next row does not come, this does not either.
    if (!hasEnded) void iterator.return?.()?.catch(() => {});
  }
}

/** The rows as JSON lines, many in a chunk. */
async function* jsonLinesOf(rows: StagedRows): AsyncGenerator<string> {
  let chunk = '';
  let count = 0;
  for await (const row of rows) {
    count += 1;
    chunk += `${jsonOf(row, count)}\n`;
    if (chunk.length < CHUNK_CHARACTERS) continue;
    yield chunk;
    chunk = '';
  }
  if (count === 0) throw new InvalidDatasetError('The dataset has no rows.');
  if (chunk !== '') yield chunk;
}

function jsonOf(row: unknown, number: number): string {
  if (row instanceof Uint8Array) {
    throw new InvalidDatasetError(
      'The dataset is an iterable of bytes, not of rows. Give bytes as a stream, with their format: Readable.from(bytes, { objectMode: false }).',
    );
  }
  if (typeof row !== 'object' || row === null || Array.isArray(row)) {
    throw new InvalidDatasetError(
      `Row ${number} of the dataset is not an object: a row is { column: value, … }.`,
    );
  }
  try {
    return JSON.stringify(row, exactly);
  } catch (error) {
    throw new InvalidDatasetError(
      `Row ${number} of the dataset cannot be written as JSON: ${(error as Error).message}`,
      { cause: error },
    );
  }
}

/** Of ES2026, and in Node since 22; TypeScript does not know it yet. */
const { rawJSON } = JSON as unknown as { rawJSON: (text: string) => unknown };

/** A whole number of any size is written with all its digits. */
function exactly(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? rawJSON(value.toString()) : value;
}
