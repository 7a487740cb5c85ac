import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runQuarry } from '../../support/run-quarry.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const FLAGS = ['--model-id', 'us.amazon.nova-lite-v1:0', '--prompt-template', '{a}?', '--no-pilot'];

test('a plan shows the first prompts, the record that the run then sends, and which rows are not sent', async () => {
  const directory = await temporaryDirectory();
  const [file, store] = [join(directory, 'rows.jsonl'), join(directory, 'store')];
  const rows = [
    { a: 'one' },
    { a: null },
    { a: 'one' },
    { a: 'two "2"\n' },
    { a: 'three' },
    { a: 'left out' },
  ];
  await writeFile(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const args = [
    file,
    '--dir',
    store,
    ...FLAGS,
    '--dedupe',
    '--max-records',
    '5',
    '--system-prompt',
    'Be brief.',
  ];
  const plan = JSON.parse((await runQuarry('plan', ...args, '--json')).out);
  expect(plan.records).toMatchObject([
    { row: 0, record_id: 'r0000000000', prompt: 'one?' },
    { row: 3, record_id: 'r0000000003', prompt: 'two "2"\n?' },
    { row: 4, record_id: 'r0000000004', prompt: 'three?' },
  ]);
  expect(plan.unsent).toEqual([
    { cause: 'null_value', rows: 1, columns: ['a'], first_rows: [1] },
    { cause: 'identical_request', rows: 1 },
    { cause: 'over_limit', rows: 1, first_rows: [5] },
  ]);
  const { run_id } = JSON.parse((await runQuarry('run', ...args, '--json')).out);
  const parts = join(store, 'quarry-local', 'working', run_id, 'parts');
  const [part = ''] = await readdir(parts);
  const sent = (await readFile(join(parts, part, 'records.jsonl'), 'utf8')).trimEnd().split('\n');
  expect(plan.records.map(({ record }: { record: string }) => record)).toEqual(sent);
  // Of a run that is there it shows the same.
  const again = JSON.parse((await runQuarry('plan', ...args, '--json')).out);
  expect(again).toMatchObject({ run_exists: true, records: plan.records, unsent: plan.unsent });
  const { out } = await runQuarry('plan', ...args, '--show-records');
  expect(out).toContain(`The record of row 1, as it would be sent:\n\n${sent[0]}\n`);
  expect(out).toContain('  not sent   1, because a is null (row 2)\n');
});
