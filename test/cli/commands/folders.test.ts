/** A folder as a dataset: its links, what is beside the data, and the run's own files in it. */
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runQuarry } from '../../support/run-quarry.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const ASK = ['--model-id', 'us.amazon.nova-lite-v1:0', '--prompt-template', '{a}?'];

async function mixedFolder(): Promise<string> {
  const folder = await temporaryDirectory();
  await mkdir(join(folder, '.ipynb_checkpoints'));
  await mkdir(join(folder, '_temporary'));
  await writeFile(join(folder, 'a.csv'), 'a\n1\n');
  await writeFile(join(folder, '.ipynb_checkpoints', 'a-checkpoint.csv'), 'a\n8\n');
  await writeFile(join(folder, '_temporary', 'part.csv'), 'a\n9\n');
  await writeFile(join(await temporaryDirectory(), 'linked'), 'a\n2\n');
  const elsewhere = join(await temporaryDirectory(), 'b');
  await writeFile(elsewhere, 'a\n2\n');
  await symlink(elsewhere, join(folder, 'b.csv'));
  return folder;
}

const NOTE =
  'Passed over in the dataset’s folder, as no data: .ipynb_checkpoints/, _temporary/. Names that begin with . or _ are, and Quarry’s own folder; a file that is named itself is taken.';

test('a plan and a run of a folder take its links, and say what they pass over', async () => {
  const folder = await mixedFolder();
  const dir = await temporaryDirectory();
  const plan = await runQuarry('plan', folder, ...ASK, '--dir', dir);
  expect(plan.out).toContain(`Note: ${NOTE}\n`);
  const json = await runQuarry('plan', folder, ...ASK, '--dir', dir, '--json');
  expect(JSON.parse(json.out)).toMatchObject({ rows: 2, notes: [NOTE] });
  const run = await runQuarry('run', folder, ...ASK, '--dir', dir, '--run-id', 'links');
  expect(run.err).toContain(NOTE);
  const results = await runQuarry('results', 'links', '--dir', dir, '--format', 'jsonl');
  expect(
    results.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toMatchObject([{ a: '1' }, { a: '2' }]);
});

test('a folder that holds the runs of itself is the same dataset every time', async () => {
  const folder = await mixedFolder();
  for (const dir of ['.quarry', 'runs']) {
    const where = ['--dir', join(folder, dir)];
    const first = await runQuarry('run', folder, ...ASK, ...where, '--run-id', 'again');
    expect(first.status, first.err).toBe(0);
    expect(await readdir(join(folder, dir))).not.toEqual([]);
    const plan = await runQuarry('plan', folder, ...ASK, ...where, '--json');
    expect(JSON.parse(plan.out)).toMatchObject({ rows: 2 });
    const again = await runQuarry('run', folder, ...ASK, ...where, '--run-id', 'again');
    expect(again.status, again.err).toBe(0);
  }
});

test('files that drifted are refused with the option, and run with it', async () => {
  const folder = await temporaryDirectory();
  await writeFile(join(folder, 'a.csv'), 'a,b\n1,2\n');
  await writeFile(join(folder, 'b.csv'), 'a\n3\n');
  const dir = await temporaryDirectory();
  const refused = await runQuarry('run', folder, ...ASK, '--dir', dir, '--run-id', 'drift');
  expect(refused.status).toBe(1);
  expect(refused.err).toContain('or union_by_name (--union-by-name): it takes the wider type');
  expect(await readdir(join(dir, 'quarry-local'))).not.toContain('runs');
  const run = await runQuarry('run', folder, ...ASK, '--dir', dir, '--run-id', 'drift', '--union-by-name');
  expect(run.status, run.err).toBe(0);
  expect(run.err).toContain('b is not there, and is filled with nulls');
  const results = await runQuarry('results', 'drift', '--dir', dir, '--format', 'jsonl');
  expect(
    results.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toMatchObject([
    { a: '1', b: '2' },
    { a: '3', b: null },
  ]);
});

test('records that --csv-ragged skip leaves out are noted, counted and kept in a file', async () => {
  const folder = await temporaryDirectory();
  const file = join(folder, 'a.csv');
  await writeFile(file, 'a,b\n1,2\n3\n4,5,6\n7,8\n');
  const dir = await temporaryDirectory();
  const refused = await runQuarry('plan', file, ...ASK, '--dir', dir);
  expect(refused.status).toBe(1);
  expect(refused.err).toContain('--csv-ragged pad or skip');
  const run = await runQuarry(
    'run',
    file,
    ...ASK,
    '--dir',
    dir,
    '--run-id',
    'ragged',
    '--csv-ragged',
    'skip',
  );
  expect(run.status, run.err).toBe(0);
  expect(run.err).toContain('2 records');
  const home = join(dir, 'quarry-local/runs/ragged');
  const skipped = (await readFile(join(home, 'skipped.jsonl'), 'utf8')).trim().split('\n');
  expect(skipped.map((line) => JSON.parse(line))).toMatchObject([
    { line: 3, fields: 1, text: '3' },
    { line: 4, fields: 3, text: '4,5,6' },
  ]);
  const summary = JSON.parse(await readFile(join(home, 'summary.json'), 'utf8'));
  expect(summary).toMatchObject({ rows: { total: 2 }, skipped: { records: 2 } });
});
