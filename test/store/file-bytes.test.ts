import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createContentDigests } from '../../src/store/content-digest.ts';
import { readFileBytes } from '../../src/store/file-bytes.ts';
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
