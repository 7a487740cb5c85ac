import { execFileSync } from 'node:child_process';
import { cp, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const root = join(import.meta.dirname, '..', '..');

test('on a machine that has no DuckDB for Lambda, the one of the same version is fetched, and works', async () => {
  const directory = await temporaryDirectory();
  const scope = join('node_modules', '@duckdb');
  await mkdir(join(directory, scope), { recursive: true });
  await mkdir(join(directory, 'infra'));
  const script = join('infra', 'install-duckdb.ts');
  await cp(join(root, script), join(directory, script));
  // As npm leaves it on a Mac: without what runs on Linux.
  for (const name of ['node-api', 'node-bindings']) {
    await cp(join(root, scope, name), join(directory, scope, name), { recursive: true });
  }
  const output = join(directory, 'bundle');
  await mkdir(output);
  execFileSync(process.execPath, [join(directory, script), output]);
  expect(await readdir(join(output, scope))).toEqual([
    'node-api',
    'node-bindings',
    'node-bindings-linux-x64',
  ]);
  const { DuckDBInstance, version } = await import(join(output, scope, 'node-api', 'lib', 'index.js'));
  expect(version()).toMatch(/^v\d/);
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const reader = await connection.runAndReadAll('SELECT 6 * 7 AS n');
  expect(reader.getRowObjectsJson()).toEqual([{ n: 42 }]);
  connection.closeSync();
  instance.closeSync();
}, 120_000);
