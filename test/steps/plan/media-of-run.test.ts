import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RunInput } from '../../../src/core/run-input/run-input.ts';
import { describeDataset } from '../../../src/rows/sources/describe-dataset.ts';
import { checkMediaColumns, measureMedia, openMediaOfRun } from '../../../src/steps/plan/media-of-run.ts';
import { modelCallOf } from '../../../src/steps/plan/model-call.ts';
import { createDirectoryStore } from '../../../src/store/directory-store.ts';
import { jpegOf, pngOf } from '../../support/images.ts';
import { createDirectory, writeParquet, writeSource } from '../../support/rows.ts';
import { storeOf } from '../../support/step-policies.ts';

const CLAUDE = 'us.anthropic.claude-haiku-4-5-20251001-v1:0';
const NOVA = 'us.amazon.nova-lite-v1:0';

function inputOf(keys: Partial<RunInput> = {}): RunInput {
  return {
    s3_uri: 's3://data/s.csv',
    model_id: CLAUDE,
    prompt_template: '{id}',
    image_columns: ['photo'],
    ...keys,
  };
}

async function measure(input: RunInput, files: Record<string, Buffer>, csv: string) {
  const folder = await createDirectory();
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes);
  const file = await writeSource('s.csv', csv);
  const dataset = await describeDataset([file]);
  const call = modelCallOf(input);
  const store = storeOf('plan', createDirectoryStore(folder), { bucket: 'data' });
  const media = await openMediaOfRun({ ...input, files_folder: folder }, call, { dataset, store });
  return measureMedia(input, call, { dataset, local: [file], media });
}

test('a plan knows what images add to records and, by Anthropic’s rule, to tokens', async () => {
  const files = { 'a.png': pngOf(750, 100), 'b.jpg': jpegOf(4_000, 3_000) };
  const size = await measure(inputOf(), files, 'id,photo\n1,a.png\n2,b.jpg\n');
  expect(size.meanBytes).toBe(
    (pngOf(750, 100).toString('base64').length + jpegOf(4_000, 3_000).toString('base64').length) / 2,
  );
  // 100, and the most that an image counts for once it is made smaller.
  expect(size.meanTokens).toBe((100 + 1_600) / 2);
  expect(size.notes).toEqual([
    'Images are counted by Anthropic’s rule, width × height / 750 tokens once they are made smaller: about 850 tokens a row.',
  ]);
});

test('of a family that does not tell, it says that images are not counted', async () => {
  const size = await measure(inputOf({ model_id: NOVA }), { 'a.png': pngOf(9, 9) }, 'id,photo\n1,a.png\n');
  expect(size).toMatchObject({
    meanTokens: 0,
    notes: ['Tokens of images are not in the estimate: how many a model counts is not known beforehand.'],
  });
});

test('rows that cannot be sent are told of; where none can, the run is refused', async () => {
  const some = await measure(inputOf(), { 'a.png': pngOf(9, 9) }, 'id,photo\n1,a.png\n2,none.png\n');
  expect(some.notes[0]).toMatch(
    /^1 of 2 rows that were looked at cannot be sent, and cost nothing: The image in column "photo" is not there: "none.png" below .*, so the row was not sent\.$/,
  );
  await expect(measure(inputOf(), {}, 'id,photo\n1,none.png\n2,\n')).rejects.toThrow(
    /^Of the 2 rows that were looked at, none can be sent: The image in column "photo" is not there: "none.png" below .*, so the row was not sent\. Nothing was spent\. To run it all the same, give force\.$/,
  );
  expect(await measure(inputOf({ force: true }), {}, 'id,photo\n1,none.png\n')).toMatchObject({
    meanBytes: 0,
  });
});

test('folders of a dataset in S3 are where its files are, down to what all of them share', async () => {
  const inner = createDirectoryStore(await createDirectory());
  await inner.write('s3://data/in/a.png', 'bytes');
  const store = storeOf('prepare', inner, { bucket: 'data' });
  const files = (names: string[]) =>
    names.map((name) => ({ uri: `s3://data/${name}` as const, bytes: 1, etag: '', rows: 1 }));
  const read = async (names: string[], text: string) => {
    const dataset = { files: files(names) };
    return (await openMediaOfRun(inputOf(), modelCallOf(inputOf()), { dataset, store }))?.reader.read(
      text,
      100,
    );
  };
  expect(await read(['in/x.csv'], 'a.png')).toMatchObject({ kind: 'found' });
  expect(await read(['in/p=1/x.csv', 'in/p=2/y.csv'], 'a.png')).toMatchObject({ kind: 'found' });
  expect(await read(['in/x.csv', 'other/y.csv'], 'in/a.png')).toMatchObject({ kind: 'found' });
  expect(await read(['in/p/x.csv'], 'a.png')).toMatchObject({ kind: 'fault', name: 'NotFound' });
});

test.each<[Partial<RunInput>, string]>([
  [
    { image_columns: ['picture'] },
    'image_columns names "picture", which is not a column of the dataset. It has id, photo, blob, list, number.',
  ],
  [
    { image_columns: ['number'] },
    'image_columns: column "number" is INTEGER. It must have texts that name files, bytes (BLOB), or Hugging Face’s struct of bytes and path.',
  ],
  [
    { image_columns: ['list'] },
    'image_columns: column "list" is VARCHAR[]. It must have texts that name files, bytes (BLOB), or Hugging Face’s struct of bytes and path.',
  ],
  [
    { reuse: true },
    'reuse tells images apart by their bytes, and column "photo" has names of files, whose bytes may change after the plan. Leave reuse out, or put the bytes into the dataset.',
  ],
  [
    { dedupe: true },
    'dedupe tells images apart by their bytes, and column "photo" has names of files, whose bytes may change after the plan. Leave dedupe out, or put the bytes into the dataset.',
  ],
])('%j is refused with what the column has', async (keys, message) => {
  const file = await writeParquet(
    't.parquet',
    "SELECT 1 AS id, 'a' AS photo, 'a'::BLOB AS blob, ['a'] AS list, 7 AS number",
  );
  const dataset = await describeDataset([file]);
  const input = inputOf(keys);
  expect(() => checkMediaColumns(input, modelCallOf(input), dataset)).toThrow(message);
  const sound = inputOf({ image_columns: ['blob'], dedupe: true });
  expect(() => checkMediaColumns(sound, modelCallOf(sound), dataset)).not.toThrow();
});

test.each<[Partial<RunInput>, string]>([
  [
    { model_id: 'us.amazon.nova-micro-v1:0' },
    'image_columns: Nova Micro reads no images, as far as is known (2026-10). `quarry models` says which models do. To try it all the same, give force.',
  ],
  [
    { model_id: 'us.meta.llama3-3-70b-instruct-v1:0' },
    'image_columns: Llama 3.3 70B Instruct reads no images, as far as is known (2026-10). `quarry models` says which models do. To try it all the same, give force.',
  ],
  [
    { model_id: 'openai.gpt-oss-20b-1:0' },
    'image_columns: OpenAI gpt-oss takes no images. Leave it out, or take another model.',
  ],
  [
    { model_id: 'qwen.qwen3-vl-235b-a22b', image_columns: undefined, document_columns: ['paper'] },
    'document_columns: Qwen3 VL 235B A22B reads no documents, as far as is known (2026-10). `quarry models` says which models do. To try it all the same, give force.',
  ],
  [
    { image_columns: Array.from({ length: 21 }, (_, index) => `p${index}`) },
    'image_columns names 21 columns; Anthropic Claude takes up to 20 images in a request.',
  ],
  [
    { model_id: 'amazon.titan-embed-image-v1', prompt_template: undefined, image_columns: ['a', 'b'] },
    'image_columns names 2 columns; Amazon Titan Multimodal Embeddings G1 takes up to 1 image in a request.',
  ],
  [
    { model_id: 'amazon.titan-embed-text-v2:0', prompt_template: undefined },
    'image_columns: Amazon Titan Text Embeddings V2 takes no images. Leave it out, or take another model.',
  ],
  [
    { model_id: 'amazon.nova-2-multimodal-embeddings-v1:0', prompt_template: undefined, text_column: 'id' },
    'text_column: amazon.nova-2-multimodal-embeddings-v1:0 makes an embedding of a text or of an image, not of both. Give text_column or image_columns.',
  ],
])('%j is refused before anything is read', (keys, message) => {
  const input = Object.fromEntries(Object.entries(inputOf(keys)).filter(([, value]) => value !== undefined));
  expect(() => modelCallOf(input as RunInput)).toThrow(message);
});

test('an image alone is embedded unless a text column is named too', () => {
  const embeds = (keys: Partial<RunInput>) =>
    modelCallOf({ s3_uri: 's3://data/s.csv', model_id: 'amazon.titan-embed-image-v1', ...keys }).frame;
  expect(embeds({ image_columns: ['photo'] }).segments.some(({ kind }) => kind === 'string')).toBe(false);
  expect(
    embeds({ image_columns: ['photo'], text_column: 'title' }).segments.some(({ kind }) => kind === 'string'),
  ).toBe(true);
});

test('documents go to Nova through Converse, and images in its own body', () => {
  const formOf = (keys: Partial<RunInput>) =>
    modelCallOf(inputOf({ model_id: NOVA, ...keys })).adapter.invocationType;
  expect(formOf({})).toBe('InvokeModel');
  expect(formOf({ document_columns: ['paper'] })).toBe('Converse');
});
