import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { openDuckDb } from '../../../src/rows/duckdb/duckdb.ts';
import type { FetchMedia } from '../../../src/rows/media/media-reader.ts';
import { runLayout, runUriOf } from '../../../src/runs/run-layout.ts';
import { localPathOf } from '../../../src/store/directory-store.ts';
import { LOCAL_BUCKET, sha256 } from '../../../src/targets/local/local-target.ts';
import { stageDataset } from '../../../src/targets/local/stage-dataset.ts';
import {
  type EmulatedOptions,
  MODEL,
  openEmulatedTarget,
  outputRows,
  runEmulated,
} from '../../support/emulated-run.ts';
import { jpegOf, pdfOf, pngOf } from '../../support/images.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

vi.setConfig({ testTimeout: 120_000 });

interface MediaRun {
  /** Bytes of each row's image; undefined where there is no such file. */
  images: readonly (Buffer | undefined)[];
  keys?: Record<string, unknown>;
  emulator?: EmulatedOptions['emulator'];
  asBytes?: boolean;
}

/** Runs a dataset whose column `photo` names images beside it, or has their bytes. */
async function runMedia({ images, keys = {}, emulator = {}, asBytes = false }: MediaRun) {
  const directory = await temporaryDirectory();
  const folder = join(directory, 'set');
  await mkdir(folder);
  for (const [row, bytes] of images.entries()) {
    if (bytes !== undefined && !asBytes) await writeFile(join(folder, `${row}.bin`), bytes);
  }
  const path = join(folder, asBytes ? 'set.parquet' : 'set.csv');
  if (asBytes) {
    const values = images.map(
      (bytes, row) => `(${row}, ${bytes === undefined ? 'NULL' : `unhex('${bytes.toString('hex')}')`})`,
    );
    await using db = await openDuckDb({ memoryMb: 512, threads: 1, scratchDirectory: directory });
    await db.run(
      `COPY (SELECT * FROM (VALUES ${values.join(', ')}) AS t(n, photo)) TO '${path}' (FORMAT PARQUET)`,
    );
  } else {
    await writeFile(path, `n,photo\n${images.map((_, row) => `${row},${row}.bin\n`).join('')}`);
  }
  await using emulated = await openEmulatedTarget({ directory, emulator, quotas: { minRecordsPerJob: 1 } });
  const { uri: s3_uri } = await stageDataset(path, { directory, bucket: LOCAL_BUCKET, hash: sha256 });
  const input = {
    s3_uri,
    files_folder: folder,
    model_id: MODEL,
    prompt_template: 'Row {n}',
    image_columns: ['photo'],
    run_id: 'media',
  };
  const asked = Object.entries({ ...input, ...keys }).filter(([, value]) => value !== undefined);
  const result = await runEmulated(Object.fromEntries(asked), { target: emulated.target, random: () => 0.5 });
  const layout = runLayout(runUriOf(LOCAL_BUCKET, 'media'));
  return {
    rows: await outputRows(result, directory),
    usage: await emulated.emulator.usage(),
    records: (await readFile(localPathOf(directory, layout.records('p00001')), 'utf8')).trimEnd().split('\n'),
  };
}

const IMAGES = [pngOf(20, 30, 1), jpegOf(40, 50), pngOf(20, 30, 2)];

test.each([
  ['Claude', MODEL],
  ['Nova', 'us.amazon.nova-lite-v1:0'],
  ['a model of open weights, by Converse', 'qwen.qwen3-vl-235b-a22b'],
])('every row is asked with its own image: %s', async (_, model_id) => {
  const { rows } = await runMedia({ images: IMAGES, keys: { model_id } });
  expect(rows.map(({ response }) => String(response))).toEqual([
    expect.stringContaining('begins "Row 0"'),
    expect.stringContaining('an image (jpeg, 40 × 50 pixels)'),
    expect.stringContaining('an image (png, 20 × 30 pixels)'),
  ]);
  const digests = rows.map(({ response }) => /with the digest (\w+)\.$/.exec(String(response))?.[1]);
  expect(new Set(digests).size).toBe(3);
});

test.each([
  ['Titan', 'amazon.titan-embed-image-v1'],
  ['Nova', 'amazon.nova-2-multimodal-embeddings-v1:0'],
])('embeddings are of each row’s image: %s', async (_, model_id) => {
  const keys = { model_id, prompt_template: undefined };
  const named = await runMedia({ images: IMAGES, keys });
  const vectors = named.rows.map(({ embedding }) => JSON.stringify(embedding));
  expect(new Set(vectors).size).toBe(3);
  const within = await runMedia({ images: IMAGES, keys, asBytes: true });
  expect(within.rows.map(({ embedding }) => JSON.stringify(embedding))).toEqual(vectors);
});

test('documents are asked about as images are', async () => {
  const keys = { image_columns: undefined, document_columns: ['photo'] };
  for (const model_id of [MODEL, 'us.amazon.nova-lite-v1:0']) {
    const { rows } = await runMedia({
      images: [pdfOf('one'), pdfOf('two'), pngOf(2, 2)],
      keys: { ...keys, model_id },
    });
    expect(rows.map(({ response, error_code }) => response ?? error_code)).toEqual([
      expect.stringContaining('It shows a document (pdf, 21 bytes)'),
      expect.stringContaining('It shows a document (pdf, 21 bytes)'),
      'DocumentFormatUnsupported',
    ]);
  }
});

test('rows without a sound image fail by themselves: the job is not asked about them, nothing is paid for them, and nothing is tried again', async () => {
  const images = [IMAGES[0], undefined, Buffer.from('text'), jpegOf(9_000, 2), IMAGES[1]];
  const { rows, usage, records } = await runMedia({ images, keys: { pilot: true } });
  expect(
    rows.map(({ response, error_code, attempts }) => [response === null ? error_code : 'answered', attempts]),
  ).toEqual([
    ['answered', 1],
    ['ImageNotFound', 0],
    ['ImageFormatUnsupported', 0],
    ['ImageTooLarge', 0],
    ['answered', 1],
  ]);
  expect(records).toHaveLength(2);
  expect(usage.totals).toMatchObject({ jobs: 1, answered: 2, errors: 0 });
  expect(usage.tracked?.answeredMoreThanOnce).toEqual([]);
});

test('records that failed are sent again with the same image, byte for byte', async () => {
  const images = Array.from({ length: 30 }, (_, row) => pngOf(10, 10, row));
  const fault = { kind: 'record-errors', fraction: 0.3, firstAttemptOnly: true } as const;
  const emulator: EmulatedOptions['emulator'] = { faults: [{ fault }] };
  const { rows, usage } = await runMedia({ images, emulator, keys: { max_attempts: 6, pilot: false } });
  expect(rows.every(({ response }) => response !== null)).toBe(true);
  expect(rows.some(({ attempts }) => Number(attempts) > 1)).toBe(true);
  expect(usage.tracked).toMatchObject({
    answeredMoreThanOnce: [],
    bodiesAnsweredMoreThanOnce: [],
    bodies: 30,
  });
});

test('equal images with equal prompts are sent once where their bytes are in the dataset', async () => {
  const images = [pngOf(4, 4, 1), pngOf(4, 4, 2), pngOf(4, 4, 1), pngOf(4, 4, 1), undefined];
  const { rows, usage } = await runMedia({
    images,
    asBytes: true,
    keys: { dedupe: true, prompt_template: 'What is it?' },
  });
  expect(usage.totals.answered).toBe(2);
  expect(rows.map(({ response }) => response)).toEqual([
    rows[0]?.response,
    rows[1]?.response,
    rows[0]?.response,
    rows[0]?.response,
    null,
  ]);
  expect(rows[0]?.response).not.toBe(rows[1]?.response);
  expect(rows[4]?.error_code).toBe('NullPromptValue');
});

test('answers about images in the dataset are kept, and given to the same images of a later run', async () => {
  const directory = await temporaryDirectory();
  await using emulated = await openEmulatedTarget({ directory, quotas: { minRecordsPerJob: 1 } });
  const run = async (run_id: string, shades: readonly number[]) => {
    const path = join(directory, `${run_id}.parquet`);
    const values = shades.map((shade, n) => `(${n}, unhex('${pngOf(4, 4, shade).toString('hex')}'))`);
    await using db = await openDuckDb({ memoryMb: 512, threads: 1, scratchDirectory: directory });
    await db.run(
      `COPY (SELECT * FROM (VALUES ${values.join(', ')}) AS t(n, photo)) TO '${path}' (FORMAT PARQUET)`,
    );
    const { uri: s3_uri } = await stageDataset(path, { directory, bucket: LOCAL_BUCKET, hash: sha256 });
    const input = {
      s3_uri,
      model_id: MODEL,
      prompt_template: 'What?',
      image_columns: ['photo'],
      run_id,
      reuse: true,
    };
    const result = await runEmulated(input, { target: emulated.target, random: () => 0.5 });
    return outputRows(result, directory);
  };
  const first = await run('first', [1, 2]);
  const second = await run('second', [2, 3]);
  expect((await emulated.emulator.usage()).tracked).toMatchObject({
    bodies: 3,
    bodiesAnsweredMoreThanOnce: [],
  });
  expect(second[0]?.response).toBe(first[1]?.response);
  expect(second[1]?.response).not.toBe(first[0]?.response);
});

test('addresses are fetched where the run says so, and are faults of their rows where it does not', async () => {
  const directory = await temporaryDirectory();
  const path = join(directory, 'set.csv');
  await writeFile(path, 'n,photo\n1,https://example.org/a.png\n2,https://example.org/none.png\n');
  const fetched: string[] = [];
  const fetchMedia: FetchMedia = async (url) => {
    fetched.push(url);
    return url.endsWith('/a.png')
      ? { kind: 'found', bytes: pngOf(2, 2) }
      : { kind: 'fault', name: 'NotFound', text: 'is not there' };
  };
  await using emulated = await openEmulatedTarget({
    directory,
    quotas: { minRecordsPerJob: 1 },
    wrap: (target) => ({ ...target, deps: { ...target.deps, fetchMedia } }),
  });
  const { uri: s3_uri } = await stageDataset(path, { directory, bucket: LOCAL_BUCKET, hash: sha256 });
  const input = { s3_uri, model_id: MODEL, prompt_template: 'Row {n}', image_columns: ['photo'] };
  const options = { target: emulated.target, random: () => 0.5 };
  expect(await runEmulated({ ...input, run_id: 'unfetched' }, options)).toMatchObject({
    kind: 'failed',
    message: expect.stringContaining('addresses are fetched only where fetch is given'),
  });
  expect(fetched).toEqual([]);
  const rows = await outputRows(
    await runEmulated({ ...input, run_id: 'fetched', fetch: true }, options),
    directory,
  );
  expect(rows.map(({ response, error_code }) => (response === null ? error_code : 'answered'))).toEqual([
    'answered',
    'ImageNotFound',
  ]);
});

test('a run whose images are in another folder now is refused, as nobody knows whether they are the same', async () => {
  const directory = await temporaryDirectory();
  const [here, there] = [join(directory, 'here'), join(directory, 'there')];
  for (const [folder, shade] of [
    [here, 1],
    [there, 2],
  ] as const) {
    await mkdir(folder);
    await writeFile(join(folder, 'a.png'), pngOf(2, 2, shade));
    await writeFile(join(folder, 'set.csv'), 'n,photo\n1,a.png\n');
  }
  await using emulated = await openEmulatedTarget({ directory, quotas: { minRecordsPerJob: 1 } });
  const { uri: s3_uri } = await stageDataset(join(here, 'set.csv'), {
    directory,
    bucket: LOCAL_BUCKET,
    hash: sha256,
  });
  const input = {
    s3_uri,
    model_id: MODEL,
    prompt_template: 'Row {n}',
    image_columns: ['photo'],
    run_id: 'media',
  };
  const options = { target: emulated.target, random: () => 0.5 };
  await runEmulated({ ...input, files_folder: here }, options);
  expect(await runEmulated({ ...input, files_folder: there }, options)).toMatchObject({
    kind: 'failed',
    error: 'RunConflictError',
    message: `Run "media" reads its images and documents from ${here}, and not from ${there}. To go on with it, resume it, or give that files_folder; to run these, give another run_id.`,
  });
  await rm(there, { recursive: true });
  expect((await runEmulated({ ...input, files_folder: here }, options)).kind).toBe('finished');
});
