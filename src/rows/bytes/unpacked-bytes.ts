import { open, stat } from 'node:fs/promises';
import { PassThrough, pipeline, Readable } from 'node:stream';
import { createGunzip, createZstdDecompress, type Gunzip, gunzipSync } from 'node:zlib';
import { type ReadFileOptions, readFileBytes, readSmallFile } from '../../store/file-bytes.ts';
import { createZstdFrames, UnpackFault } from './zstd-frames.ts';

/** How a file is packed. */
export type Compression = 'none' | 'gzip' | 'zstd';

const CHUNK_BYTES = 1 << 20;
/** For files that have fewer packed: thousands of buffers of full size would keep the garbage collector busy. */
const SMALL_CHUNK_BYTES = 1 << 16;

/**
 * A file's bytes, unpacked chunk by chunk: of all gzip members and of all zstd frames. Throws UnpackFault, or zlib's own
 * error, where they are not whole, or something else comes after them.
 */
export function readUnpacked(
  path: string,
  compression: Compression,
  options?: ReadFileOptions,
): AsyncIterable<Buffer> {
  switch (compression) {
    case 'none':
      return readFileBytes(path, options);
    case 'gzip':
      return readGzip(path);
    case 'zstd':
      return readZstd(path);
  }
}

/** True for an error that says of packed bytes that they are damaged. */
export function isUnpackError(error: unknown): error is Error {
  const { code } = error as NodeJS.ErrnoException;
  return (
    error instanceof UnpackFault || code?.startsWith('Z_') === true || code?.startsWith('ZSTD_') === true
  );
}

async function* readGzip(path: string): AsyncGenerator<Buffer> {
  const packed = await readSmallFile(path);
  const little = packed === undefined ? undefined : unpackLittle(packed);
  if (little !== undefined) {
    if (little.length > 0) yield little;
    return;
  }
  const unpack = createGunzip({ chunkSize: chunkBytesFor((await stat(path)).size) });
  yield* unpackedBy(Readable.from(readFileBytes(path)), unpack);
  await refuseTrailing(path, unpack.bytesWritten);
}

/**
 * What gzip has in it, if that is little: without the streams, which take many times as long. Undefined where there may be
 * more of it, or something else after it.
 */
function unpackLittle(packed: Buffer): Buffer | undefined {
  if (packed.length === 0) return packed;
  try {
    const { buffer, engine } = gunzipSync(packed, {
      maxOutputLength: CHUNK_BYTES,
      info: true,
    }) as unknown as { buffer: Buffer; engine: Gunzip };
    return engine.bytesWritten === packed.length ? buffer : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return undefined;
    throw error;
  }
}

async function* readZstd(path: string): AsyncGenerator<Buffer> {
  const frames = framesOf(path);
  const first = await frames.next();
  // No frame, or none that holds anything: to a decompressor that would be one that breaks off.
  if (first.done) return;
  async function* all() {
    yield first.value as Buffer;
    yield* frames;
  }
  const unpack = createZstdDecompress({ chunkSize: chunkBytesFor((await stat(path)).size) });
  // As objects, lest two chunks be joined again.
  yield* unpackedBy(Readable.from(all()), unpack);
}

async function* framesOf(path: string): AsyncGenerator<Buffer> {
  const frames = createZstdFrames();
  for await (const chunk of readFileBytes(path)) {
    yield* frames.push(chunk);
  }
  frames.end();
}

async function* unpackedBy(packed: Readable, unpack: Gunzip | ReturnType<typeof createZstdDecompress>) {
  const end = new PassThrough({ readableHighWaterMark: CHUNK_BYTES });
  pipeline(packed, unpack, end, () => {
    // The error reaches the reader of `end`.
  });
  for await (const chunk of end) yield chunk as Buffer;
}

/** Node ends gzip at a zero byte after a member: what comes then may be zeros, as tapes are filled up with, and nothing else. */
async function refuseTrailing(path: string, from: number): Promise<void> {
  await using file = await open(path);
  const left = (await file.stat()).size - from;
  if (left <= 0) return;
  const buffer = Buffer.allocUnsafe(Math.min(left, CHUNK_BYTES));
  for (let at = from; ; ) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) return;
    if (buffer.subarray(0, bytesRead).some((byte) => byte !== 0)) {
      throw new UnpackFault('there are bytes after its last gzip member');
    }
    at += bytesRead;
  }
}

function chunkBytesFor(packedBytes: number): number {
  return packedBytes < SMALL_CHUNK_BYTES ? SMALL_CHUNK_BYTES : CHUNK_BYTES;
}
