import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Quarry } from '../../src/index.ts';
import { makeStoreFolder } from '../../src/store/store-folder.ts';
import { runQuarry } from '../support/run-quarry.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const ASK = ['--model-id', 'us.amazon.nova-lite-v1:0', '--prompt-template', '{a}?'];

test('a new folder of runs keeps itself out of Git, whichever command, emulator or program makes it', async () => {
  const directory = await temporaryDirectory();
  const file = join(directory, 'rows.csv');
  await writeFile(file, 'a\n1\n');
  const ignored = (dir: string) => readFile(join(directory, dir, '.gitignore'), 'utf8');
  expect((await runQuarry('run', file, ...ASK, '--dir', join(directory, 'by-run'))).status).toBe(0);
  expect(await ignored('by-run')).toBe('*\n');
  await using _served = await new Quarry({ directory: join(directory, 'deep/by-emulator') }).emulate({
    port: 0,
  });
  expect(await ignored('deep/by-emulator')).toBe('*\n');
  const quarry = new Quarry({ directory: join(directory, 'by-library') });
  const run = await quarry.run({ dataset: [{ a: 1 }], model: ASK[1] as string, prompt: '{a}' });
  await run.result;
  expect(await ignored('by-library')).toBe('*\n');
  expect((await runQuarry('runs', '--dir', join(directory, 'none'))).status).toBe(0);
  expect(existsSync(join(directory, 'none'))).toBe(false);
});

test('a folder that was there is left as it is', async () => {
  const directory = await temporaryDirectory();
  await makeStoreFolder(directory);
  expect(existsSync(join(directory, '.gitignore'))).toBe(false);
  await mkdir(join(directory, 'mine'));
  await writeFile(join(directory, 'mine', '.gitignore'), 'mine');
  await makeStoreFolder(join(directory, 'mine'));
  expect(await readFile(join(directory, 'mine', '.gitignore'), 'utf8')).toBe('mine');
});
