import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readUnpacked } from '../../../src/rows/bytes/unpacked-bytes.ts';
import { createZstdFrames } from '../../../src/rows/bytes/zstd-frames.ts';
import { describeDataset } from '../../../src/rows/sources/describe-dataset.ts';
import { createDirectory, prepareAll, promptOf, readRecords, writeSource } from '../../support/rows.ts';

/** A frame that holds bytes of anybody's own. https://www.rfc-editor.org/rfc/rfc8878#section-3.1.2 */
function skippableFrame(bytes: Uint8Array, kind = 0): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(0x184d2a50 + kind, 0);
  head.writeUInt32LE(bytes.length, 4);
  return Buffer.concat([head, bytes]);
}

/** A frame of blocks that are not compressed, or of one byte repeated, as other writers than Node's make them. */
function rawFrame(bytes: Buffer): Buffer {
  const blocks = [bytes.subarray(0, 3), bytes.subarray(3)].map((block, index) => {
    const isLast = index === 1;
    const isRun = block.length > 1 && block.every((byte) => byte === block[0]);
    const head = Buffer.alloc(3);
    head.writeUIntLE((block.length << 3) | (isRun ? 2 : 0) | (isLast ? 1 : 0), 0, 3);
    return Buffer.concat([head, isRun ? block.subarray(0, 1) : block]);
  });
  // Magic; a window of 1 MB, no checksum, no size.
  return Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x50]), ...blocks]);
}

async function unpack(bytes: Uint8Array, compression: 'gzip' | 'zstd'): Promise<string> {
  const path = join(await createDirectory(), 'packed');
  await writeFile(path, bytes);
  const chunks = await Array.fromAsync(readUnpacked(path, compression));
  return Buffer.concat(chunks).toString('latin1');
}

const text = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));

test('every zstd frame is read, and what skippable frames hold is passed over', async () => {
  const frame = fc.oneof(
    text.map((bytes) => ({ bytes, packed: zstdCompressSync(bytes) })),
    text.map((bytes) => ({ bytes, packed: rawFrame(bytes) })),
    text.map((bytes) => ({
      bytes: Buffer.concat([bytes, Buffer.alloc(300, 97)]),
      packed: rawFrame(Buffer.concat([bytes, Buffer.alloc(300, 97)])),
    })),
    fc
      .tuple(text, fc.nat(15))
      .map(([bytes, kind]) => ({ bytes: Buffer.alloc(0), packed: skippableFrame(bytes, kind) })),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(frame, { minLength: 1, maxLength: 6 }), async (frames) => {
      const expected = Buffer.concat(frames.map(({ bytes }) => bytes)).toString('latin1');
      expect(await unpack(Buffer.concat(frames.map(({ packed }) => packed)), 'zstd')).toBe(expected);
    }),
    { numRuns: 60 },
  );
});

test('frames are cut at their ends, however the bytes come', () => {
  const frame = fc.oneof(
    text.map((bytes) => ({ packed: zstdCompressSync(bytes), isKept: true })),
    text.map((bytes) => ({ packed: rawFrame(bytes), isKept: true })),
    text.map((bytes) => ({ packed: skippableFrame(bytes), isKept: false })),
  );
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 5 }),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
      (all, sizes) => {
        const packed = Buffer.concat(all.map((each) => each.packed));
        const frames = createZstdFrames();
        const pieces: Buffer[] = [];
        for (let at = 0, turn = 0; at < packed.length; turn++) {
          const size = sizes[turn % sizes.length] ?? 1;
          pieces.push(...frames.push(packed.subarray(at, at + size)));
          at += size;
        }
        frames.end();
        const kept = all.filter(({ isKept }) => isKept);
        expect(Buffer.concat(pieces)).toEqual(Buffer.concat(kept.map((each) => each.packed)));
        const ends = new Set<number>();
        let sum = 0;
        for (const piece of pieces) {
          sum += piece.length;
          ends.add(sum);
        }
        let end = 0;
        for (const each of kept) {
          end += each.packed.length;
          expect(ends).toContain(end);
        }
      },
    ),
    { numRuns: 200 },
  );
});

test('every gzip member is read, also after a member of nothing, and zeros at the end are nothing', async () => {
  const members = ['id,text\n1,one\n', '', '2,two\n', '3,three\n'].map((each) => gzipSync(each));
  expect(await unpack(Buffer.concat([...members, Buffer.alloc(512)]), 'gzip')).toBe(
    'id,text\n1,one\n2,two\n3,three\n',
  );
});

test.each([
  ['gz', gzipSync('a,b\n1,2\n'), 'junk', 'incorrect header check'],
  ['gz', gzipSync('a,b\n1,2\n'), '\0\0junk', 'there are bytes after its last gzip member'],
  [
    'gz',
    gzipSync('a,b\n1,2\n'),
    Buffer.concat([Buffer.alloc(8), gzipSync('3,4\n')]),
    'there are bytes after its last gzip member',
  ],
  ['zst', zstdCompressSync('a,b\n1,2\n'), 'junk', 'there are bytes that begin no zstd frame'],
  ['zst', zstdCompressSync('a,b\n1,2\n'), '\0\0\0\0\0', 'there are bytes that begin no zstd frame'],
  [
    'zst',
    zstdCompressSync('a,b\n1,2\n'),
    zstdCompressSync('3,4\n').subarray(0, 7),
    'its last zstd frame breaks off',
  ],
  ['zst', zstdCompressSync('a,b\n1,2\n'), Buffer.from([0x28, 0xb5]), 'its last zstd frame breaks off'],
  [
    'zst',
    zstdCompressSync('a,b\n1,2\n'),
    skippableFrame(Buffer.from('abcd')).subarray(0, 10),
    'its last zstd frame breaks off',
  ],
])('what comes after the end of .%s and is none is refused', async (ending, packed, trailing, why) => {
  const bytes = Buffer.concat([packed, Buffer.from(trailing as string)]);
  await expect(describeDataset([await writeSource(`x.csv.${ending}`, bytes)])).rejects.toMatchObject({
    name: 'InvalidDatasetError',
    message: expect.stringContaining(`s3://data/x.csv.${ending} cannot be unpacked: ${why}`),
  });
});

test.each([
  [
    'two frames',
    'h.jsonl.zst',
    Buffer.concat([zstdCompressSync('{"a":"1"}\n'), zstdCompressSync('{"a":"2"}\n')]),
    ['1', '2'],
  ],
  [
    'a skippable frame first',
    'skip.jsonl.zst',
    Buffer.concat([skippableFrame(Buffer.from('abcd')), zstdCompressSync('{"a":"1"}\n')]),
    ['1'],
  ],
  [
    'a header and its rows in two',
    'f.csv.zst',
    Buffer.concat([zstdCompressSync('id,a\n1,one\n'), zstdCompressSync('2,two\n')]),
    ['one', 'two'],
  ],
  [
    'a row across two members',
    'f.csv.gz',
    Buffer.concat([gzipSync('id,a\n1,o'), gzipSync('ne\n2,two\n')]),
    ['one', 'two'],
  ],
])('a dataset of %s has all its rows', async (_name, name, bytes, expected) => {
  const [prepared] = await prepareAll([await writeSource(name, bytes)], '{a}');
  expect((await readRecords(prepared?.recordsPath ?? '')).map(promptOf)).toEqual(expected);
});

/** Gzip of so many mebibytes of one letter. */
function endlessLetters(megabytes: number): Buffer {
  return gzipSync(Buffer.alloc(megabytes * 1024 ** 2, 97), { level: 9 });
}

test.each([
  ['csv', 'Line 1 of s3://data/x.csv.gz begins a record of'],
  ['jsonl', 'Line 1 of s3://data/x.jsonl.gz begins a record of more than 16000000 bytes'],
  ['json', 'Line 1 of s3://data/x.json.gz'],
])('a header or line of .%s that never ends is refused within bounded memory', async (ending, message) => {
  const packed = endlessLetters(256);
  expect(packed.length).toBeLessThan(300_000);
  const file = await writeSource(`x.${ending}.gz`, packed);
  const before = process.memoryUsage().rss;
  let peak = before;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().rss);
  }, 5);
  try {
    await expect(describeDataset([file])).rejects.toThrow(message);
  } finally {
    clearInterval(watch);
  }
  expect(peak - before).toBeLessThan(150_000_000);
});

test('the checksum of a member is proven', async () => {
  const packed = gzipSync('a,b\n1,2\n');
  packed.writeUInt32LE(crc32('other'), packed.length - 8);
  await expect(unpack(packed, 'gzip')).rejects.toThrow('incorrect data check');
});
