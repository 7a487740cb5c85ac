import { type FileHandle, open } from 'node:fs/promises';

/** Bytes of a file that are read at once. */
const CHUNK_BYTES = 1024 ** 2;

/**
 * A file's bytes, chunk by chunk. A file that fits into one chunk is read into a buffer of its own size: streams take a
 * whole chunk for each read, and thousands of small files would keep the garbage collector busy.
 */
export async function* readFileBytes(path: string): AsyncGenerator<Buffer> {
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
  yield* file.createReadStream({
    highWaterMark: CHUNK_BYTES,
    autoClose: false,
    start,
  }) as AsyncIterable<Buffer>;
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
