import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';

test('the example of the emulator runs, and prints what it says', async () => {
  const page = await readFile('docs/emulator.md', 'utf8');
  const [, code = ''] = /```ts\n(.*?)```/s.exec(page) ?? [];
  expect(code).toContain("from 'quarry/emulator'");
  // Where the packages that it imports are found.
  await mkdir('node_modules/.cache', { recursive: true });
  const directory = await mkdtemp(resolve('node_modules/.cache/emulator-example-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const entry = pathToFileURL(resolve('src/emulator/index.ts')).href;
  await writeFile(join(directory, 'example.mjs'), code.replace('quarry/emulator', entry));
  const { stdout } = await promisify(execFile)(process.execPath, ['example.mjs'], { cwd: directory });
  const promised = [...code.matchAll(/console\.log\(.*\); \/\/ (.*)/g)].map(([, text]) => text);
  expect(promised).toHaveLength(2);
  expect(stdout.trimEnd().split('\n')).toEqual(promised);
});
