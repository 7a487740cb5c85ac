import { readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runQuarry } from '../../support/run-quarry.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

test('verify says that every file is intact, or which is not, what of it, and what to do', async () => {
  const directory = await temporaryDirectory();
  const file = join(directory, 'rows.csv');
  await writeFile(file, 'n\n1\n2\n3\n');
  const dir = ['--dir', join(directory, 'store')];
  const asked = [
    '--model-id',
    'us.amazon.nova-lite-v1:0',
    '--prompt-template',
    'Say {n}',
    '--run-id',
    'mine',
  ];
  expect((await runQuarry('run', file, ...asked, ...dir)).status).toBe(0);

  const intact = await runQuarry('verify', ...dir);
  expect(intact).toMatchObject({
    status: 0,
    out: 'Every file of run mine is intact: 1 output file, 3 rows.\n',
  });
  const report = JSON.parse((await runQuarry('verify', 'mine', '--json', ...dir)).out);
  expect(report).toEqual({ run_id: 'mine', output_files: 1, rows: 3, broken: [] });

  const output = join(directory, 'store', 'quarry-local', 'runs', 'mine', 'output');
  const [name = ''] = await readdir(output);
  await truncate(join(output, name), 100);
  const cut = await runQuarry('verify', 'mine', ...dir);
  expect(cut.status).toBe(1);
  expect(cut.out).toContain('1 file of run mine cannot be relied on:\n');
  expect(cut.out).toContain(name);
  await rm(join(output, name));
  const { status, out } = await runQuarry('verify', 'mine', '--json', ...dir);
  expect(status).toBe(1);
  expect(JSON.parse(out).broken).toMatchObject([
    { file: expect.stringContaining(name), fault: expect.any(String), advice: expect.any(String) },
  ]);
  expect((await runQuarry('verify', 'none', ...dir)).err).toContain('none');
});
