import { mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { InvalidDatasetError, ServiceUnavailableError } from '../../core/errors.ts';
import { writeWhole } from '../../store/file-bytes.ts';
import type { ByteRange, ObjectInfo, ObjectStore } from '../../store/object-store.ts';
import type { RowWindow, SourceFile } from '../bytes/source-bytes.ts';
import { ENCRYPTED, NO_PARQUET, readParquetFooter } from './parquet-footer.ts';

/** Where the object is, and where its sparse copy goes. */
export interface SparseParquetOptions {
  store: Pick<ObjectStore, 'readStream'>;
  /** Directory for the copy, which is a file of the object's full size that takes only the bytes fetched. */
  scratchDirectory: string;
  /** Where the copy is to be; a place of its own where this is absent. */
  path?: string;
}

/** A Parquet object as a local file of which only what was asked for is there. */
export type SparseParquet = Required<Pick<SourceFile, 'uri' | 'path' | 'fetchRows'>> & AsyncDisposable;

/** Bytes at the end that are read first: most footers are in them. */
const TAIL_BYTES = 64 * 1024;
/** The footer's length, and the magic. https://parquet.apache.org/docs/file-format/ */
const TRAILER_BYTES = 8;
const MAGIC = 'PAR1';
/** Bytes between two chunks that are read along, lest they cost a request more. */
const MAX_GAP_BYTES = 64 * 1024;
/** Bytes of one request. */
const REQUEST_BYTES = 32 * 1024 ** 2;
const CONCURRENT_REQUESTS = 4;

/** One column's bytes in one row group. */
interface FetchedChunk extends ByteRange, RowWindow {
  /** The top-level column that it is of. */
  column: string;
  isHere: boolean;
}

/**
 * Opens a Parquet object by its footer alone. `fetchRows` reads the chunks of columns and rows by ranged requests and
 * puts each at its own offset, where DuckDB finds it as in the whole file. Throws InvalidDatasetError where the object
 * does not end as Parquet does.
 */
export async function openSparseParquet(
  { uri, size }: Pick<ObjectInfo, 'uri' | 'size'>,
  { store, scratchDirectory, path: given }: SparseParquetOptions,
): Promise<SparseParquet> {
  const { path, remove } = await placeOf(scratchDirectory, given);
  const limit = pLimit(CONCURRENT_REQUESTS);
  const turns = pLimit(1);
  let chunks: Promise<FetchedChunk[]> | undefined;

  const copy = async ({ start, end }: ByteRange): Promise<void> => {
    await using file = await open(path, 'r+');
    let at = start;
    for await (const bytes of await store.readStream(uri, { start, end })) {
      await writeWhole(file, bytes as Buffer, at);
      at += (bytes as Buffer).length;
    }
    if (at !== end + 1) {
      throw new ServiceUnavailableError(`${uri} gave ${at - start} of the bytes ${start} to ${end}.`);
    }
  };

  try {
    await createFooter({ path, size, copy, uri });
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    uri,
    path,
    // One after the other, lest chunks that two of them need be read twice.
    fetchRows: (columns, window) =>
      turns(async () => {
        chunks ??= readChunks(path, tailStartOf(size));
        const needed = (await chunks).filter((chunk) => !chunk.isHere && isWithin(chunk, columns, window));
        await Promise.all(requestsFor(needed).map((range) => limit(() => copy(range))));
        for (const chunk of needed) chunk.isHere = true;
      }),
    [Symbol.asyncDispose]: remove,
  };
}

/** The path for the copy, and what removes it. */
async function placeOf(
  scratchDirectory: string,
  given: string | undefined,
): Promise<{ path: string; remove: () => Promise<void> }> {
  if (given !== undefined) return { path: given, remove: () => rm(given, { force: true }) };
  await mkdir(scratchDirectory, { recursive: true });
  const directory = await mkdtemp(join(scratchDirectory, 'sparse-'));
  return {
    path: join(directory, 'object.parquet'),
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

/** From where on the file is read at once. */
function tailStartOf(size: number): number {
  return Math.max(MAGIC.length, size - TAIL_BYTES);
}

/** A file of the full size with the footer in its place. */
async function createFooter({
  uri,
  path,
  size,
  copy,
}: {
  uri: string;
  path: string;
  size: number;
  copy: (range: ByteRange) => Promise<void>;
}): Promise<void> {
  const refuse = () => {
    throw new InvalidDatasetError(`${uri} ${NO_PARQUET}`);
  };
  if (size < MAGIC.length + TRAILER_BYTES) refuse();
  await using file = await open(path, 'w+');
  await file.truncate(size);
  await writeWhole(file, Buffer.from(MAGIC), 0);
  const tailStart = tailStartOf(size);
  await copy({ start: tailStart, end: size - 1 });
  const trailer = Buffer.alloc(TRAILER_BYTES);
  await file.read(trailer, 0, TRAILER_BYTES, size - TRAILER_BYTES);
  if (trailer.toString('latin1', 4) === 'PARE') {
    throw new InvalidDatasetError(`${uri} ${ENCRYPTED}`);
  }
  if (trailer.toString('latin1', 4) !== MAGIC) refuse();
  const footerStart = size - TRAILER_BYTES - trailer.readUInt32LE(0);
  if (footerStart < MAGIC.length) refuse();
  if (footerStart < tailStart) await copy({ start: footerStart, end: tailStart - 1 });
}

async function readChunks(path: string, tailStart: number): Promise<FetchedChunk[]> {
  let firstRow = 0;
  return (await readParquetFooter(path)).rowGroups.flatMap(({ rows, chunks }) => {
    const first = firstRow;
    firstRow += rows;
    return chunks.map((chunk) => ({
      start: chunk.start,
      end: chunk.start + chunk.bytes - 1,
      firstRow: first,
      rows,
      column: chunk.path[0] ?? '',
      isHere: chunk.bytes === 0 || chunk.start >= tailStart,
    }));
  });
}

function isWithin(
  { column, firstRow, rows }: FetchedChunk,
  columns: readonly string[],
  window: RowWindow,
): boolean {
  if (firstRow >= window.firstRow + window.rows || firstRow + rows <= window.firstRow) return false;
  return columns.includes(column);
}

/** The byte ranges of chunks: neighbours together, and no range too long for one request. */
function requestsFor(chunks: readonly FetchedChunk[]): ByteRange[] {
  const ranges: ByteRange[] = [];
  for (const { start, end } of chunks.toSorted((a, b) => a.start - b.start)) {
    const last = ranges.at(-1);
    if (last !== undefined && start - last.end <= MAX_GAP_BYTES) last.end = Math.max(last.end, end);
    else ranges.push({ start, end });
  }
  return ranges.flatMap(({ start, end }) =>
    Array.from({ length: Math.ceil((end + 1 - start) / REQUEST_BYTES) }, (_, index) => {
      const from = start + index * REQUEST_BYTES;
      return { start: from, end: Math.min(end, from + REQUEST_BYTES - 1) };
    }),
  );
}
