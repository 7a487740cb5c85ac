import { appendFileSync } from 'node:fs';
import { appendFile, mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RunEvent } from '../../../src/core/run/run-event.ts';
import { openRunBucket } from '../../../src/targets/bedrock/bedrock-target.ts';
import { uploadDataset } from '../../../src/targets/bedrock/upload-dataset.ts';
import { BUCKET, openBedrockWorld } from '../../support/bedrock-world.ts';

async function openUpload() {
  const world = await openBedrockWorld();
  const { client, store } = openRunBucket({
    directory: world.dir,
    bucket: BUCKET,
    bucketOwner: undefined,
    region: 'us-west-2',
    profile: undefined,
  });
  const progress: RunEvent[] = [];
  const puts = () => world.s3.requests.filter(({ method }) => method === 'PUT').length;
  const upload = async (path: string, signal?: AbortSignal) => {
    const { uri } = await uploadDataset(path, {
      client,
      store,
      directory: world.dir,
      bucket: BUCKET,
      signal,
      onProgress: (step) => void progress.push(step),
    });
    return uri;
  };
  return { world, upload, progress, puts, directory: world.directory };
}

test('a dataset is named by its content: moved or touched it is the same, and uploaded once', async () => {
  const { world, upload, progress, puts, directory } = await openUpload();
  const file = join(directory, 'a.csv');
  await writeFile(file, 'n\n1\n');
  const uri = await upload(file);
  expect(uri).toMatch(new RegExp(`^s3://${BUCKET}/datasets/[0-9a-f]{16}/a\\.csv$`));
  expect(world.s3.objects.get(uri.slice('s3://'.length))?.toString()).toBe('n\n1\n');
  expect(progress.at(-1)).toEqual({ kind: 'uploaded', path: 'a.csv', doneBytes: 4, totalBytes: 4 });
  await mkdir(join(directory, 'moved'));
  await rename(file, join(directory, 'moved', 'a.csv'));
  await writeFile(join(directory, 'moved', 'a.csv'), 'n\n1\n');
  expect(await upload(join(directory, 'moved', 'a.csv'))).toBe(uri);
  expect(puts()).toBe(1);
  await appendFile(join(directory, 'moved', 'a.csv'), '2\n');
  expect(await upload(join(directory, 'moved', 'a.csv'))).not.toBe(uri);
  expect(puts()).toBe(2);
});

test('a folder keeps the names below it; of an upload that was broken off only the rest is uploaded', async () => {
  const { world, upload, puts, directory } = await openUpload();
  const folder = join(directory, 'parts');
  await mkdir(join(folder, 'b'), { recursive: true });
  await writeFile(join(folder, 'a.csv'), 'n\n1\n');
  await writeFile(join(folder, 'b', 'c.csv'), 'n\n2\n');
  await writeFile(join(folder, '.hidden'), 'x');
  const uri = await upload(folder);
  const keys = [...world.s3.objects.keys()];
  expect(keys.map((key) => `s3://${key}`).sort()).toEqual([`${uri}/a.csv`, `${uri}/b/c.csv`]);
  world.s3.objects.delete(String(keys[1]));
  expect(await upload(folder)).toBe(uri);
  expect(puts()).toBe(3);
  await expect(upload(join(directory, 'none'))).rejects.toThrow(/There is no file or folder ".*none"/);
});

test('a file that changes while it is uploaded is refused, and nothing of it is there', async () => {
  const { world, upload, directory } = await openUpload();
  const file = join(directory, 'a.csv');
  await writeFile(file, `n\n${'1\n'.repeat(100)}`);
  // Between the reading for its name and the reading for the upload there is a look at what is there.
  world.s3.fault = ({ method }) => {
    if (method === 'HEAD') appendFileSync(file, '2\n');
    return undefined;
  };
  await expect(upload(file)).rejects.toMatchObject({
    name: 'InvalidDatasetError',
    message: expect.stringContaining('a.csv changed while it was uploaded. Nothing of it was kept'),
  });
  expect(world.s3.objects.size).toBe(0);
});

test('an upload that is stopped leaves no object, and gives its parts back', async () => {
  const { world, upload, directory } = await openUpload();
  const file = join(directory, 'a.csv');
  await writeFile(file, 'x'.repeat(40 * 1024 ** 2));
  const abort = new AbortController();
  world.s3.fault = ({ query }) => {
    if (query.get('partNumber') === '2') abort.abort(new Error('Interrupted.'));
    return undefined;
  };
  await expect(upload(file, abort.signal)).rejects.toThrow('Interrupted.');
  expect(world.s3.objects.size).toBe(0);
  await expect(upload(file, AbortSignal.abort(new Error('Before.')))).rejects.toThrow('Before.');
  expect(world.s3.objects.size).toBe(0);
  world.s3.fault = () => undefined;
  await upload(file);
  expect(world.s3.objects.size).toBe(1);
});
