import { appendFile, type FileHandle, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createContentDigests } from '../../src/store/content-digest.ts';
import { readFileBytes, writeWhole } from '../../src/store/file-bytes.ts';
import { canMount, mountDisk } from '../support/small-disk.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const CHUNK_BYTES = 1024 ** 2;

test.each([0, 1, 10_000, CHUNK_BYTES - 1, CHUNK_BYTES, 2 * CHUNK_BYTES + 1])(
  'a file of %d bytes is read whole, in no more memory than it has or a chunk takes',
  async (size) => {
    const path = join(await temporaryDirectory(), 'file');
    const bytes = Buffer.alloc(size, 'sixteen letters.');
    await writeFile(path, bytes);
    const chunks = await Array.fromAsync(readFileBytes(path));
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
    // Small buffers share one.
    for (const { buffer } of chunks) {
      expect(buffer.byteLength).toBeLessThanOrEqual(
        Math.max(Buffer.poolSize, Math.min(size + 1, CHUNK_BYTES)),
      );
    }
  },
);

test('chunks that are lent are the file’s in two buffers, and whoever stops leaves it closed', async () => {
  const path = join(await temporaryDirectory(), 'file');
  const bytes = Buffer.from(Array.from({ length: 5 * CHUNK_BYTES + 7 }, (_, at) => at % 251));
  await writeFile(path, bytes);
  const copies: Buffer[] = [];
  const buffers = new Set<ArrayBufferLike>();
  for await (const chunk of readFileBytes(path, { isLent: true })) {
    copies.push(Buffer.from(chunk));
    buffers.add(chunk.buffer);
  }
  expect(Buffer.concat(copies).equals(bytes)).toBe(true);
  expect(buffers.size).toBe(2);
  for await (const chunk of readFileBytes(path, { isLent: true })) {
    expect(chunk.equals(bytes.subarray(0, CHUNK_BYTES))).toBe(true);
    break;
  }
});

test('a small file that grows while it is read is read to its new end', async () => {
  const path = join(await temporaryDirectory(), 'file');
  await writeFile(path, 'first,');
  const chunks: string[] = [];
  const reading = readFileBytes(path);
  const beginning = reading.next();
  await appendFile(path, 'second');
  chunks.push(String((await beginning).value));
  for await (const chunk of reading) chunks.push(String(chunk));
  expect(['first,', 'first,second']).toContain(chunks.join(''));
});

test.runIf(canMount).each([0, undefined])(
  'bytes of which a full disk takes some are not taken for written, at %s',
  async (position) => {
    const { path } = await mountDisk('16k');
    await using file = await open(join(path, 'file'), 'w');
    await expect(writeWhole(file, Buffer.alloc(20_000), position)).rejects.toThrow('ENOSPC');
  },
);

test.each([
  [100, [100, 103, 106, 109]],
  [undefined, [null, null, null, null]],
])('bytes are written whole, from %s on, though each write takes only some', async (position, positions) => {
  const written: [string, number | null][] = [];
  const write = async (bytes: Uint8Array, from: number, length: number, at: number | null) => {
    const bytesWritten = Math.min(3, length);
    written.push([Buffer.from(bytes.subarray(from, from + bytesWritten)).toString(), at]);
    return { bytesWritten, buffer: bytes };
  };
  await writeWhole({ write } as Pick<FileHandle, 'write'>, Buffer.from('ten bytes!'), position);
  expect(written.map(([text]) => text)).toEqual(['ten', ' by', 'tes', '!']);
  expect(written.map(([, at]) => at)).toEqual(positions);
});

test('a small file has no note of its digest, and one of another content another digest at once', async () => {
  const directory = await temporaryDirectory();
  const path = join(directory, 'file');
  const digests = createContentDigests(join(directory, 'notes'));
  await writeFile(path, 'one');
  const one = await digests.of(path);
  await digests.note(path, 'not its digest');
  expect(await digests.of(path)).toBe(one);
  await writeFile(path, 'two');
  expect(await digests.of(path)).not.toBe(one);
});
