import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { InvalidDatasetError } from '../core/errors.ts';
import { joinS3Uri, type S3Uri } from '../core/s3-uri.ts';
import { diskFaultOf } from '../store/disk-fault.ts';
import type { RunFiles } from '../targets/run-files.ts';

/** Rows as a program has them. */
export type StagedRows = Iterable<unknown> | AsyncIterable<unknown>;

/** Where rows are put, and what stops it. */
export interface StageRowsOptions {
  files: Pick<RunFiles, 'dir' | 'store' | 'bucket'>;
  signal: AbortSignal;
}

/** Characters of JSON lines that are written at once. */
const CHUNK_CHARACTERS = 64 * 1024;

/**
 * Streams rows into the store as JSONL, under a name that is made of their content: the same rows are the same `s3_uri`. At
 * no time are more than a few of them in memory.
 */
export async function stageRows(rows: StagedRows, { files, signal }: StageRowsOptions): Promise<S3Uri> {
  const folder = join(files.dir, '.scratch');
  const path = join(folder, `rows-${randomUUID()}.jsonl`);
  const digest = createHash('sha256');
  try {
    await mkdir(folder, { recursive: true });
    await pipeline(
      jsonLinesOf(rows),
      async function* (chunks: AsyncIterable<string>) {
        for await (const chunk of chunks) {
          digest.update(chunk);
          yield chunk;
        }
      },
      createWriteStream(path),
      { signal },
    );
    const name = digest.digest('hex').slice(0, 16);
    const uri = joinS3Uri(`s3://${files.bucket}`, 'datasets', name, 'rows.jsonl');
    const there = await files.store.head(uri);
    if (there?.size !== (await stat(path)).size) await files.store.putFile(path, uri);
    return uri;
  } catch (error) {
    throw diskFaultOf(error) ?? error;
  } finally {
    await rm(path, { force: true });
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
