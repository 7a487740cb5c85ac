import { cp, mkdir, rename, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sha256 } from '../../../src/targets/local/local-target.ts';
import { stageDataset } from '../../../src/targets/local/stage-dataset.ts';
import { openEmulatedTarget, outputRows, runRows } from '../../support/emulated-run.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

test('a dataset is named by its content: moved or touched it is the same, changed it is another', async () => {
  const directory = await temporaryDirectory();
  const place = { directory: join(directory, 'store'), bucket: 'quarry-local', hash: sha256 };
  const file = join(directory, 'rows.csv');
  await writeFile(file, 'n\n1\n');
  const { uri } = await stageDataset(file, place);
  await utimes(file, new Date(0), new Date(0));
  expect((await stageDataset(file, place)).uri).toBe(uri);
  await mkdir(join(directory, 'elsewhere'));
  await rename(file, join(directory, 'elsewhere', 'rows.csv'));
  expect((await stageDataset(join(directory, 'elsewhere', 'rows.csv'), place)).uri).toBe(uri);
  await writeFile(file, 'n\n2\n');
  expect((await stageDataset(file, place)).uri).not.toBe(uri);
  const folder = await stageDataset(join(directory, 'elsewhere'), place);
  expect(await stageDataset(join(directory, 'elsewhere'), place)).toEqual(folder);
});

test('a folder that was copied goes on where its run stood', async () => {
  const directory = await temporaryDirectory();
  const abort = new AbortController();
  {
    await using emulated = await openEmulatedTarget({ directory });
    const stopped = await runRows(300, emulated, {
      directory,
      signal: abort.signal,
      aroundTasks: (runTask) => async (call) => {
        const output = await runTask(call);
        if (JSON.stringify(call.parameters).includes('prepare')) abort.abort();
        return output;
      },
    });
    expect(stopped).toMatchObject({ kind: 'aborted', runId: 'emulated' });
  }
  const copy = join(await temporaryDirectory(), 'copy');
  await cp(directory, copy, { recursive: true });
  const dataset = (dir: string) => stat(join(dir, 'rows.csv'));
  expect((await dataset(copy)).ino).not.toBe((await dataset(directory)).ino);
  await using emulated = await openEmulatedTarget({ directory: copy });
  const result = await runRows(300, emulated, { directory: copy });
  expect(result).toMatchObject({ kind: 'finished', summary: { status: 'succeeded', run_id: 'emulated' } });
  expect(await outputRows(result, copy)).toHaveLength(300);
});
