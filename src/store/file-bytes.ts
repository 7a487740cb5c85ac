import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';

/** Bytes of a file that are read at once. */
const CHUNK_BYTES = 1024 ** 2;
/** Bytes of a file that is read by calls that block: each turn of the event loop takes longer than to read so few. */
const SMALL_BYTES = 1 << 16;
/** Small files after which others have their turn: signals and timers wait for as long. */
const FILES_PER_TURN = 64;
let filesOfTurn = 0;

/** How a file is read. */
export interface ReadFileOptions {
  /**
   * True where a chunk is of no use any more when the next one is asked for: then two buffers are enough for all, and the
   * garbage collector, which has to be fast with so many megabytes, has nothing to do.
   */
  isLent?: boolean | undefined;
}

/**
 * A file's bytes, chunk by chunk. A file that fits into one chunk is read into a buffer of its own size: streams take a
 * whole chunk for each read, and thousands of small files would keep the garbage collector busy.
 */
export async function* readFileBytes(
  path: string,
  { isLent = false }: ReadFileOptions = {},
): AsyncGenerator<Buffer> {
  const small = await readSmallFile(path);
  if (small !== undefined) {
    if (small.length > 0) yield small;
    return;
  }
  await using file = await open(path);
  const stats = await file.stat();
  let start: number | undefined;
  if (stats.isFile() && stats.size < CHUNK_BYTES) {
    // One byte more than there should be, which a file that has grown fills.
    const buffer = Buffer.allocUnsafe(stats.size + 1);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
    if (bytesRead > 0) yield buffer.subarray(0, bytesRead);
    if (bytesRead === stats.size) return;
    start = bytesRead;
  }
  if (isLent && stats.isFile()) yield* readLent(file, start ?? 0);
  else yield* readOwned(file, start);
}

function readOwned(file: FileHandle, start: number | undefined): AsyncIterable<Buffer> {
  return file.createReadStream({
    highWaterMark: CHUNK_BYTES,
    autoClose: false,
    start,
  }) as AsyncIterable<Buffer>;
}

/** Chunks in two buffers by turns: the next one is read into the one while the other is in use. */
async function* readLent(file: FileHandle, start: number): AsyncGenerator<Buffer> {
  let buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  let other = Buffer.allocUnsafe(CHUNK_BYTES);
  let position = start;
  let next = file.read(buffer, 0, CHUNK_BYTES, position);
  try {
    for (;;) {
      const { bytesRead } = await next;
      if (bytesRead === 0) return;
      position += bytesRead;
      const chunk = buffer.subarray(0, bytesRead);
      [buffer, other] = [other, buffer];
      next = file.read(buffer, 0, CHUNK_BYTES, position);
      // It is awaited when its turn comes, or below.
      next.catch(() => {});
      yield chunk;
    }
  } finally {
    // The file must stay open for as long as it is read.
    await next.catch(() => {});
  }
}

/** All bytes of a small file; undefined where it is none, or changes meanwhile. */
export async function readSmallFile(path: string): Promise<Buffer | undefined> {
  filesOfTurn += 1;
  if (filesOfTurn % FILES_PER_TURN === 0) await setImmediate();
  const found = statSync(path);
  // Anything but a file, as a pipe is, may block for long.
  if (!found.isFile() || found.size > SMALL_BYTES) return undefined;
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    if (size > SMALL_BYTES) return undefined;
    const buffer = Buffer.allocUnsafe(size + 1);
    const bytesRead = readSync(file, buffer, 0, buffer.length, 0);
    return bytesRead === size ? buffer.subarray(0, size) : undefined;
  } finally {
    closeSync(file);
  }
}

/**
 * Writes all of the bytes, at a position of the file or where it stands. One `write` of a disk that fills up writes some of them and
 * says nothing else: only the next one throws.
 */
export async function writeWhole(
  file: Pick<FileHandle, 'write'>,
  bytes: Uint8Array,
  position?: number,
): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const at = position === undefined ? null : position + done;
    done += (await file.write(bytes, done, bytes.length - done, at)).bytesWritten;
  }
}
