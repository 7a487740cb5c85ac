import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { recordIdOf } from '../../../src/core/record-id.ts';
import { converse } from '../../../src/models/adapters/converse.ts';
import { CONVERSE_MEDIA, type MediaSupport } from '../../../src/models/media.ts';
import { type MediaColumn, recordFrameOf } from '../../../src/models/record-frame.ts';
import { parsePromptTemplate } from '../../../src/prompts/prompt-template.ts';
import { type MediaReader, openMediaReader } from '../../../src/rows/media/media-reader.ts';
import type { PrepareRequest } from '../../../src/rows/prepare/prepare-slice.ts';
import { createDirectoryStore } from '../../../src/store/directory-store.ts';
import { jpegOf, pdfOf, pngOf } from '../../support/images.ts';
import {
  collect,
  converseLine,
  createDirectory,
  prepareAll,
  query,
  readRecords,
  type TestRecord,
  writeParquet,
  writeSource,
} from '../../support/rows.ts';

const IMAGE: MediaColumn = { kind: 'image', column: 'photo' };

async function optionsFor(
  folder: string,
  {
    columns = [IMAGE],
    support = CONVERSE_MEDIA,
    reader,
  }: Partial<{ columns: MediaColumn[]; support: MediaSupport; reader: MediaReader }> = {},
): Promise<Pick<PrepareRequest, 'frame' | 'media'>> {
  const store = createDirectoryStore(folder);
  return {
    frame: recordFrameOf(
      converse,
      { systemPrompt: undefined, parameters: { max_tokens: 10 } },
      { prompt: parsePromptTemplate('Of {what}'), media: columns },
    ),
    media: { support, reader: reader ?? (await openMediaReader({ folder, store, fetchMedia: undefined })) },
  };
}

async function writeFiles(files: Record<string, Buffer | string>): Promise<string> {
  const folder = await createDirectory();
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return folder;
}

type Block = { image?: { format: string; source: { bytes: string } }; document?: object; text?: string };

function blocksOf(record: TestRecord | undefined): Block[] {
  return (record?.modelInput.messages[0]?.content ?? []) as Block[];
}

test('the bytes of a file stand in its record, before the prompt, whatever the file is called', async () => {
  const [png, jpeg] = [pngOf(20, 30, 7), jpegOf(40, 50, 3_000)];
  const folder = await writeFiles({ 'a/1.png': png, 'misnamed.png': jpeg });
  const file = await writeSource('s.csv', 'photo,what\na/1.png,"one ""thing"""\nmisnamed.png,two\n');
  const [prepared] = await prepareAll([file], '', await optionsFor(folder));
  const records = await readRecords(prepared?.recordsPath ?? '');
  expect(records.map(blocksOf)).toEqual([
    [{ image: { format: 'png', source: { bytes: png.toString('base64') } } }, { text: 'Of one "thing"' }],
    [{ image: { format: 'jpeg', source: { bytes: jpeg.toString('base64') } } }, { text: 'Of two' }],
  ]);
  expect(prepared?.part).toMatchObject({ rows: 2, records: 2 });
});

test('bytes within the dataset are sent as they are: of a BLOB, and of Hugging Face’s struct', async () => {
  const png = pngOf(3, 4, 9);
  const folder = await writeFiles({ 'p.png': pngOf(5, 6) });
  const blob = `unhex('${png.toString('hex')}')`;
  const file = await writeParquet(
    'b.parquet',
    `SELECT * FROM (VALUES ('x', ${blob}, {'bytes': ${blob}, 'path': 'gone.png'}), ('y', ${blob}, {'bytes': NULL, 'path': 'p.png'}), ('z', ${blob}, {'bytes': NULL, 'path': NULL})) AS t(what, photo, thumb)`,
  );
  const columns: MediaColumn[] = [IMAGE, { kind: 'image', column: 'thumb' }];
  const [prepared] = await prepareAll([file], '', await optionsFor(folder, { columns }));
  const images = (await readRecords(prepared?.recordsPath ?? '')).map((record) =>
    blocksOf(record).flatMap(({ image }) => (image === undefined ? [] : [image.source.bytes])),
  );
  expect(images).toEqual([
    [png.toString('base64'), png.toString('base64')],
    [png.toString('base64'), pngOf(5, 6).toString('base64')],
  ]);
  expect(await query(`SELECT __quarry_error_code AS code FROM '${prepared?.rowsPath}'`)).toEqual([
    { code: null },
    { code: null },
    { code: 'ImageNotFound' },
  ]);
});

test('a row whose image cannot be sent says why, costs nothing, and leaves the others as they are', async () => {
  const folder = await writeFiles({
    'ok.png': pngOf(2, 2),
    'text.png': 'hello',
    'wide.png': pngOf(8_001, 1),
    'heavy.jpg': jpegOf(2, 2, 3_750_000),
  });
  const names = ['ok.png', 'none.png', 'text.png', '', 'wide.png', 'heavy.jpg', '../ok.png', 'ok.png'];
  const file = await writeParquet(
    'f.parquet',
    `SELECT unnest([${names.map((name) => (name === '' ? 'NULL' : `'${name}'`)).join(', ')}]) AS photo, 'it' AS what`,
  );
  const [prepared] = await prepareAll([file], '', await optionsFor(folder));
  expect(prepared?.part).toMatchObject({ rows: 8, records: 2 });
  const records = await readRecords(prepared?.recordsPath ?? '');
  expect(records.map(({ recordId }) => recordId)).toEqual([recordIdOf(0), recordIdOf(7)]);
  const lines = records.map(({ recordId }) => converseLine(recordId, 'seen')).join('\n');
  const { resultPath, rows, owed } = await collect(prepared?.rowsPath ?? '', [lines]);
  expect({ rows, owed }).toMatchObject({ rows: { succeeded: 2, failed: 0, not_sent: 6 }, owed: 0 });
  const results = await query(`SELECT response, error_code, error_message, attempts FROM '${resultPath}'`);
  expect(results.map(({ response, error_code, attempts }) => [response ?? error_code, attempts])).toEqual([
    ['seen', 1],
    ['ImageNotFound', 0],
    ['ImageFormatUnsupported', 0],
    ['NullPromptValue', 0],
    ['ImageTooLarge', 0],
    ['ImageTooLarge', 0],
    ['ImageNotAllowed', 0],
    ['seen', 1],
  ]);
  expect(results[1]?.error_message).toBe(
    `The image in column "photo" is not there: "none.png" below ${folder}, so the row was not sent.`,
  );
  expect(results[3]?.error_message).toBe(
    'A column that the prompt needs is null in this row, so the row was not sent.',
  );
});

test('documents stand in their records as blocks with neutral names, and what is no PDF is a fault', async () => {
  const folder = await writeFiles({ 'a.pdf': pdfOf('a'), 'b.pdf': 'no' });
  const file = await writeSource('s.csv', 'paper,what\na.pdf,x\nb.pdf,y\n');
  const columns: MediaColumn[] = [{ kind: 'document', column: 'paper' }];
  const [prepared] = await prepareAll([file], '', await optionsFor(folder, { columns }));
  expect((await readRecords(prepared?.recordsPath ?? '')).map(blocksOf)).toEqual([
    [
      { document: { format: 'pdf', name: 'document 1', source: { bytes: pdfOf('a').toString('base64') } } },
      { text: 'Of x' },
    ],
  ]);
  expect(await query(`SELECT __quarry_error_code AS code FROM '${prepared?.rowsPath}'`)).toEqual([
    { code: null },
    { code: 'DocumentFormatUnsupported' },
  ]);
});

test('images that are too much for one request together are a fault of the row', async () => {
  const folder = await writeFiles({ 'a.jpg': jpegOf(2, 2, 600) });
  const file = await writeSource('s.csv', 'photo,other,what\na.jpg,a.jpg,x\n');
  const columns: MediaColumn[] = [IMAGE, { kind: 'image', column: 'other' }];
  const support = { ...CONVERSE_MEDIA, maxRequestBytes: 1_000 };
  const [prepared] = await prepareAll([file], '', await optionsFor(folder, { columns, support }));
  expect(
    await query(
      `SELECT __quarry_error_code AS code, __quarry_error_message AS message FROM '${prepared?.rowsPath}'`,
    ),
  ).toEqual([
    {
      code: 'ImageTooLarge',
      message:
        'The image in column "other" and those before it in the row have 1,696 bytes in Base64; a request takes up to 1,000, so the row was not sent.',
    },
  ]);
});

test('a part with more bytes of images than a file takes is cut until each fits, and no row is lost', async () => {
  const files = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`${n}.jpg`, jpegOf(2, 2, n * 100)]));
  const folder = await writeFiles(files);
  const rows = Array.from({ length: 20 }, (_, n) => `${n}.jpg,w${n}\n`).join('');
  const file = await writeSource('s.csv', `photo,what\n${rows}`);
  const [whole] = await prepareAll([file], '', await optionsFor(folder));
  const all = await readRecords(whole?.recordsPath ?? '');
  const parts = await prepareAll([file], '', { ...(await optionsFor(folder)), maxBytes: 5_000 });
  expect(parts.length).toBeGreaterThan(4);
  const cut = [];
  for (const { part, recordsPath } of parts) {
    expect(part.bytes).toBeLessThanOrEqual(5_000);
    cut.push(...(await readRecords(recordsPath)));
  }
  expect(cut).toEqual(all);
});

test('images are read once each, a few at a time, and what fails the reader fails the step', async () => {
  const folder = await writeFiles({});
  const rows = Array.from({ length: 600 }, (_, n) => `${n},w\n`).join('');
  const file = await writeSource('s.csv', `photo,what\n${rows}`);
  const read: string[] = [];
  let [now, most] = [0, 0];
  const reader: MediaReader = {
    read: async (text) => {
      read.push(text);
      now += 1;
      most = Math.max(most, now);
      await new Promise((resolve) => setImmediate(resolve));
      now -= 1;
      return { kind: 'found', bytes: pngOf(2, 2) };
    },
  };
  const [prepared] = await prepareAll([file], '', await optionsFor(folder, { reader }));
  expect(prepared?.part.records).toBe(600);
  expect(read.map(Number)).toEqual(Array.from({ length: 600 }, (_, n) => n));
  expect(most).toBeLessThanOrEqual(8);
  const failing: MediaReader = { read: () => Promise.reject(new Error('disk')) };
  await expect(prepareAll([file], '', await optionsFor(folder, { reader: failing }))).rejects.toThrow('disk');
});

test('prepared twice, a part is the same bytes; with another file it is what is there then', async () => {
  const folder = await writeFiles({ 'a.png': pngOf(2, 2, 1), 'b.png': pngOf(2, 2, 2) });
  const file = await writeSource('s.csv', 'photo,what\na.png,x\nb.png,y\n');
  const bytesOf = async () => {
    const [prepared] = await prepareAll([file], '', await optionsFor(folder));
    return readFile(prepared?.recordsPath ?? '', 'utf8');
  };
  const first = await bytesOf();
  expect(await bytesOf()).toBe(first);
  await writeFile(join(folder, 'b.png'), pngOf(2, 2, 3));
  expect(await bytesOf()).toBe(
    first.replace(pngOf(2, 2, 2).toString('base64'), pngOf(2, 2, 3).toString('base64')),
  );
  await rm(join(folder, 'b.png'));
  expect((await bytesOf()).split('\n')).toEqual([first.split('\n')[0], '']);
});
