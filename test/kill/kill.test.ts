import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createRandom } from '../../src/emulator/faults/seeded-random.ts';
import type { EmulatorUsage } from '../../src/emulator/models/usage.ts';
import { startEmulatorProcess, startQuarry } from '../support/quarry-process.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import {
  comes,
  drawImages,
  drawMoment,
  expectEveryRowOnce,
  KILLS,
  MODEL,
  SEED,
  writeQuestions,
} from './killing.ts';

interface KillPlan {
  rows: number;
  /** Whom each kill hits. */
  victims: readonly ('run' | 'emulator')[];
  extraFlags?: string[];
}

/** Runs a dataset with kills, until the run ends by itself. */
async function runWithKills({ rows, victims, extraFlags = [] }: KillPlan, random: () => number) {
  const directory = await temporaryDirectory();
  const questions = { rows, showsImages: drawImages(random) };
  const dataset = await writeQuestions(directory, questions);
  const dir = join(directory, 'store');
  let emulator = await startEmulatorProcess(dir);
  const start = () =>
    startQuarry(
      ...['run', ...dataset, '--dir', dir, '--emulator', emulator.url, '--run-id', 'killed', '--json'],
      ...['--model-id', MODEL, '--prompt-template', 'Answer {text}', ...extraFlags],
    );
  let moments = '';
  let process = start();
  for (const victim of victims) {
    const moment = drawMoment(random);
    moments += ` ${victim}@${JSON.stringify(moment)}`;
    await Promise.race([comes(moment, dir), process.ended]);
    if (victim === 'emulator') {
      emulator.signal('SIGKILL');
      await emulator.ended;
      emulator = await startEmulatorProcess(dir, { port: emulator.port });
    } else {
      process.signal('SIGKILL');
      await process.ended;
      process = start();
    }
  }
  let status = await process.ended;
  if (status === 1 && process.err().includes('There is no Bedrock emulator at')) {
    // It began while there was none, and said so.
    process = start();
    status = await process.ended;
  }
  const what = `seed ${SEED}: ${questions.showsImages ? 'images' : 'no images'}${moments}\n${process.err()}`;
  const usage = (await (await fetch(`${emulator.url}/_emulator/usage`)).json()) as EmulatorUsage;
  return { status, what, questions, summary: JSON.parse(process.out() || 'null'), usage };
}

test('a run that is killed at random moments ends with every row once, and nothing answered twice', async () => {
  console.info(`QUARRY_KILL_SEED=${SEED}`);
  const random = createRandom(SEED);
  const { status, what, questions, summary, usage } = await runWithKills(
    {
      rows: 450,
      victims: Array.from({ length: KILLS }, () => 'run'),
      extraFlags: ['--max-records-per-job', '150'],
    },
    random,
  );
  expect(status, what).toBe(0);
  expect(summary, what).toMatchObject({
    status: 'succeeded',
    rows: { total: 450, succeeded: 450, failed: 0, not_sent: 0 },
    jobs: 3,
  });
  await expectEveryRowOnce(summary.output_paths, questions);
  expect(usage.totals, what).toMatchObject({ jobs: 3, answered: 450 });
  expect(usage.tracked?.answeredMoreThanOnce, what).toEqual([]);
  expect(usage.tracked?.recordIds, what).toBe(450);
}, 600_000);

test('a run goes on when the service dies under it and comes back', async () => {
  const random = createRandom(SEED + 1);
  const victims = Array.from({ length: KILLS }, () => (random() < 0.6 ? 'emulator' : 'run'));
  const { status, what, questions, summary, usage } = await runWithKills(
    { rows: 450, victims, extraFlags: ['--max-records-per-job', '150'] },
    random,
  );
  expect(status, what).toBe(0);
  expect(summary.rows, what).toEqual({ total: 450, succeeded: 450, failed: 0, not_sent: 0 });
  await expectEveryRowOnce(summary.output_paths, questions);
  expect(usage.totals, what).toMatchObject({ jobs: 3, answered: 450 });
  expect(usage.tracked?.answeredMoreThanOnce, what).toEqual([]);
}, 600_000);

test('on demand, a kill costs no more than the answers that were under way', async () => {
  const random = createRandom(SEED + 2);
  const { status, what, questions, summary, usage } = await runWithKills(
    { rows: 60, victims: Array.from({ length: KILLS }, () => 'run') },
    random,
  );
  expect(status, what).toBe(0);
  expect(summary, what).toMatchObject({ rows: { total: 60, succeeded: 60 }, jobs: 0, on_demand_records: 60 });
  await expectEveryRowOnce(summary.output_paths, questions);
  // Four are under way at a time.
  expect(usage.onDemand.calls, what).toBeLessThanOrEqual(60 + 4 * KILLS);
}, 600_000);
