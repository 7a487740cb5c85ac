import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runQuarry } from '../../support/run-quarry.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const MODEL = 'us.amazon.nova-lite-v1:0';

test('rerun sends what is named again under what changes, and keeps the rest of what the run was given', async () => {
  const home = await temporaryDirectory();
  const dir = join(home, 'store');
  const quarry = (...args: string[]) => runQuarry(...args, '--dir', dir);
  await writeFile(
    join(home, 'rows.csv'),
    `id,name\n${Array.from({ length: 30 }, (_, row) => `k${row},name ${row}\n`).join('')}`,
  );
  const words = [
    '--model-id',
    MODEL,
    '--prompt-template',
    'Say {name}',
    '--record-id-column',
    'id',
    '--temperature',
    '0.5',
  ];
  const first = await quarry(
    'run',
    join(home, 'rows.csv'),
    ...words,
    '--max-tokens',
    '3',
    '--run-id',
    'first',
    '--json',
  );
  expect(JSON.parse(first.out)).toMatchObject({ flawed: { truncated: 30 } });

  const nothing = await quarry('rerun', 'first');
  expect(nothing.status).toBe(1);
  expect(nothing.err).toContain(
    'Say which rows are sent again: --failed, --truncated, --refused, or several of them. Rows without an answer always are.',
  );

  const output = join(home, 'all.csv');
  const again = await quarry(
    'rerun',
    'fir',
    '--truncated',
    '--max-tokens',
    '400',
    '--output',
    output,
    '--run-id',
    'again',
    '--json',
  );
  expect(again.status, again.err).toBe(0);
  expect(JSON.parse(again.out)).toMatchObject({
    run_id: 'again',
    rows: { total: 30, succeeded: 30, reused: 0 },
    flawed: { truncated: 0 },
    input: {
      rerun_of: 'first',
      rerun_rows: ['truncated'],
      record_id_column: 'id',
      prompt_template: 'Say {name}',
      inference_parameters: { max_tokens: 400, temperature: 0.5 },
    },
  });

  const prompted = await quarry(
    'rerun',
    'again',
    '--failed',
    '--prompt-id',
    'joke_about_topic',
    '--run-id',
    'x',
    '--json',
  );
  expect(JSON.parse(prompted.out).message).toContain('"topic"');
  const kept = await quarry(
    'rerun',
    'again',
    '--failed',
    '--prompt-template',
    'Sing {name}',
    '--run-id',
    'kept',
    '--json',
  );
  expect(JSON.parse(kept.out)).toMatchObject({ jobs: 0, rows: { succeeded: 30, reused: 30 } });
  const self = await quarry('rerun', 'again', '--failed', '--run-id', 'again');
  expect(self.err).toContain('rerun_of: is the run_id of this run. Name the new run otherwise');
  expect((await quarry('diff', 'again', 'kept')).out).toContain('Nothing differs.');
}, 60_000);
