import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { LOCAL_BUCKET } from '../../../src/targets/local/local-target.ts';
import { runQuarry } from '../../support/run-quarry.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

vi.setConfig({ testTimeout: 120_000 });

const FLAGS = ['--model-id', 'us.amazon.nova-lite-v1:0', '--prompt-template', 'Say {name}'];

async function openFolder() {
  const folder = await temporaryDirectory();
  const dir = join(folder, 'store');
  const file = join(folder, 'names.csv');
  const write = (from: number, to: number) =>
    writeFile(
      file,
      `id,name\n${Array.from({ length: to - from }, (_, n) => `${from + n},name ${from + n}\n`).join('')}`,
    );
  const quarry = async (...args: string[]) => {
    const outcome = await runQuarry(...args, '--dir', dir);
    expect([outcome.status, outcome.err]).toEqual([0, expect.any(String)]);
    return outcome.out;
  };
  const answers = async (...args: string[]) => JSON.parse(await quarry('answers', '--json', ...args));
  return { folder, dir, file, write, quarry, answers };
}

test('answers are shown, taken in of runs that kept none, found by a plan, compacted and deleted', async () => {
  const { dir, file, write, quarry, answers } = await openFolder();
  const run = ['run', file, ...FLAGS, '--record-id-column', 'id'];
  await write(0, 60);
  await quarry(...run, '--run-id', 'first');
  expect(await quarry('answers')).toContain('No answers are kept yet');
  expect(await quarry('plan', file, ...FLAGS, '--record-id-column', 'id', '--reuse')).toContain(
    `of 0 kept answers of this model\n             run first had no reuse and kept none; to take its answers in: quarry answers --rebuild --dir ${dir}`,
  );
  expect(await answers('--rebuild')).toMatchObject({
    rebuilt: { runs: 1, answers: 60, deleted: 0 },
    models: [{ answers: 60, files: 1, runs: 1 }],
  });
  await write(20, 80);
  const plan = await quarry('plan', file, ...FLAGS, '--record-id-column', 'id', '--reuse');
  expect(plan).toMatch(
    /reuse {6}20 new · 0 changed · 40 reused · \$\S+ instead of \$\S+\n {13}of 60 kept answers of this model/,
  );
  const other = ['--model-id', 'us.amazon.nova-lite-v1:0', '--prompt-template', 'Sing {name}'];
  expect(await quarry('plan', file, ...other, '--record-id-column', 'id', '--reuse')).toContain(
    '20 new · 40 changed · 0 reused',
  );
  expect(await quarry(...run, '--run-id', 'second', '--reuse')).toContain(
    '  reused     40 of these, answered and paid for by former runs',
  );
  const both = await answers();
  expect(both).toMatchObject({
    hits: 40,
    rebuilt: null,
    pruned: null,
    models: [{ answers: 80, files: 2, runs: 2 }],
  });
  expect(await answers('--compact')).toMatchObject({
    compacted: 1,
    models: [{ answers: 80, files: 1, runs: 2 }],
  });
  expect(await answers('--prune-run', 'first')).toMatchObject({
    pruned: 60,
    models: [{ answers: 20, runs: 1 }],
  });
  const planned = JSON.parse(
    await quarry('plan', file, ...FLAGS, '--record-id-column', 'id', '--reuse', '--json'),
  );
  expect(planned.reuse).toMatchObject({ new: 40, changed: 0, reused: 20, answers: 20 });
  expect(await answers('--prune-before', '2020-01-01')).toMatchObject({ pruned: 0 });
  expect(await quarry('answers', '--prune-before', '9999-01-01')).toContain('Deleted: 20 answers.');
  const wrong = await runQuarry('answers', '--prune-before', 'yesterday', '--dir', dir);
  expect([wrong.status, wrong.err]).toEqual([
    1,
    expect.stringContaining('"yesterday" is no date: write one like 2026-11-28, or 2026-11-28T12:00:00Z.'),
  ]);
});

test('answers that are lost or cannot be read are made again from the runs that have them', async () => {
  const { dir, file, write, quarry, answers } = await openFolder();
  await write(0, 30);
  await quarry('run', file, ...FLAGS, '--run-id', 'first', '--reuse');
  const root = join(dir, LOCAL_BUCKET, 'answers');
  const [kept = ''] = (await readdir(root, { recursive: true })).filter((name) => name.endsWith('.parquet'));
  await writeFile(join(root, kept), 'no Parquet');
  await writeFile(join(root, `${kept}.2.parquet`), 'nor this');
  expect(await quarry('answers')).toContain(`${join(root, kept)} cannot be read: `);
  expect(await answers('--rebuild')).toMatchObject({
    rebuilt: { answers: 30, deleted: 1 },
    unreadable: [],
    models: [{ answers: 30, files: 1 }],
  });
  await rm(root, { recursive: true });
  expect(await answers('--rebuild')).toMatchObject({ rebuilt: { answers: 30, deleted: 0 } });
});

test('a plan says why a row is not reused: its column, the prompt, a parameter, the model, or that nobody asked', async () => {
  const { folder, file, write, quarry } = await openFolder();
  await write(0, 20);
  await quarry('run', file, ...FLAGS, '--record-id-column', 'id', '--run-id', 'first', '--reuse');
  await writeFile(file, 'id,name\n3,name 3\n4,name four\n99,name 99\n');
  const explain = async (row: string, ...flags: string[]) => {
    const args = flags.length === 0 ? FLAGS : flags;
    return quarry('plan', file, ...args, '--record-id-column', 'id', '--reuse', '--explain', row);
  };
  expect(await explain('3')).toContain('\nRow 3 gets the answer of run first.\n');
  expect(await explain('4')).toContain(
    '\nRow 4 is not reused, unlike in run first:\n  Column name: "name four", and it was "name 4".\n',
  );
  expect(await explain('99')).toContain(
    '\nRow 99 is not reused:\n  No run of this store has kept an answer for this record.\n',
  );
  const nova = ['--model-id', 'us.amazon.nova-lite-v1:0'];
  expect(await explain('3', ...nova, '--prompt-template', 'Sing {name}', '--temperature', '0.5')).toContain(
    '\nRow 3 is not reused, unlike in run first:\n  The prompt has changed.\n  Parameter temperature: 0.5, and it was not given.\n',
  );
  const other = ['--model-id', 'us.amazon.nova-micro-v1:0', '--prompt-template', 'Say {name}'];
  expect(await explain('3', ...other)).toContain(
    'unlike in run first:\n  Model: amazon.nova-micro-v1:0, and it was amazon.nova-lite-v1:0.\n',
  );
  const none = await runQuarry(
    'plan',
    file,
    ...FLAGS,
    '--record-id-column',
    'id',
    '--reuse',
    '--explain',
    '5',
    '--dir',
    'x',
  );
  expect([none.status, none.err]).toEqual([
    1,
    expect.stringContaining('The run has no record "5" to explain. Column id names the rows.'),
  ]);
  const plain = await runQuarry('plan', file, ...FLAGS, '--explain', '5', '--dir', join(folder, 'x'));
  expect(plain.err).toContain('explain goes with reuse: without it every row is sent.');
});
