import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openBedrockWorld } from '../../support/bedrock-world.ts';
import { runQuarry } from '../../support/run-quarry.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const FLAGS = [
  '--model-id',
  'us.amazon.nova-lite-v1:0',
  '--prompt-template',
  'Say {text}',
  '--max-tokens',
  '500',
];

test('plan --pilot sends the first rows, says what the whole should cost, and the run goes on and pays for none of them again', async () => {
  const world = await openBedrockWorld();
  const file = join(world.directory, 'texts.csv');
  const texts = Array.from({ length: 600 }, (_, row) => 'word '.repeat(1 + ((row * 7) % 60)));
  await writeFile(file, `text\n${texts.join('\n')}\n`);
  const args = [file, ...world.flags.slice(0, 8), '--dir', world.dir, ...FLAGS, '--json'];

  const piloted = await runQuarry('plan', ...args, '--pilot', '100');
  expect(piloted.status, piloted.err).toBe(0);
  const plan = JSON.parse(piloted.out);
  expect(plan).toMatchObject({ rows: 600, run_exists: true, expected_by: 'pilot' });
  expect(plan.pilot).toMatchObject({ records: 100, answers: 100, cost_usd: expect.any(Number) });
  // Once more it is only told: nothing is sent again.
  const again = JSON.parse((await runQuarry('plan', ...args, '--pilot', '100')).out);
  expect(again.pilot).toEqual(plan.pilot);
  expect(await world.emulator.usage()).toMatchObject({ totals: { jobs: 1, answered: 100 } });

  const { out, status, err } = await runQuarry('run', ...args);
  expect(status, err).toBe(0);
  const summary = JSON.parse(out);
  expect(summary).toMatchObject({ run_id: plan.run_id, status: 'succeeded', rows: { succeeded: 600 } });
  const { usd } = plan.estimate.expected;
  expect(Math.abs(usd / summary.cost_usd - 1)).toBeLessThan(0.1);
  const { totals, tracked } = await world.emulator.usage();
  expect(totals.answered).toBe(600);
  expect(tracked?.answeredMoreThanOnce).toEqual([]);
});

test('a pilot of fewer rows than a job takes is run on demand, resume goes on with it, and a late one is refused', async () => {
  const directory = await temporaryDirectory();
  const [file, store] = [join(directory, 'rows.csv'), join(directory, 'store')];
  await writeFile(file, `text\n${Array.from({ length: 150 }, (_, row) => `row ${row}`).join('\n')}\n`);
  const args = [file, '--dir', store, ...FLAGS];
  const { out } = await runQuarry('plan', ...args, '--pilot', '30');
  expect(out).toMatch(
    / pilot +30 answers of 30 records: [\d,]+ tokens in, [\d,]+ out, \$[\d.]+ at Bedrock\n/,
  );
  expect(out).toContain('as long as those of the pilot');
  const [, run = ''] = /Run (\S+) goes on from there/.exec(out) ?? [];
  const status = JSON.parse((await runQuarry('status', run, '--dir', store, '--json')).out);
  expect(status).toMatchObject({ status: 'stopped', stop: { reason: 'pilot' }, on_demand_records: 30 });
  const resumed = JSON.parse((await runQuarry('resume', run, '--dir', store, '--json')).out);
  expect(resumed).toMatchObject({
    status: 'succeeded',
    rows: { succeeded: 150 },
    jobs: 1,
    on_demand_records: 30,
  });
  const late = await runQuarry('run', ...args, '--run-id', 'whole');
  expect(late.status, late.err).toBe(0);
  const refused = await runQuarry('plan', ...args, '--run-id', 'whole', '--pilot', '30');
  expect(refused.status).toBe(1);
  expect(refused.err).toContain(
    'Run "whole" was planned without a pilot of 30 rows: its first part has 150.',
  );
  const wrong = await runQuarry('plan', ...args, '--pilot', 'many');
  expect(wrong.err).toContain('It is not a whole number above 0.');
});
