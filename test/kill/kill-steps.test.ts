import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import type { FaultScript } from '../../src/emulator/faults/faults.ts';
import { createRandom } from '../../src/emulator/faults/seeded-random.ts';
import { type Emulator, startEmulator } from '../../src/emulator/server.ts';
import { createDirectoryStore } from '../../src/store/directory-store.ts';
import { startQuarry } from '../support/quarry-process.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import {
  drawMoment,
  drawMomentAfter,
  expectEveryRowOnce,
  KILLS,
  killAt,
  MODEL,
  type Moment,
  SEED,
  writeQuestions,
} from './killing.ts';

const ROWS = 300;
const PARTS = 2;
/** Of these, half are owed once: enough for a job. */
const DISTINCT = 250;

interface Trial extends AsyncDisposable {
  dir: string;
  emulator: Emulator;
  /** Kills a command at each moment and starts it again, until it ends by itself. */
  kill(moments: readonly Moment[], ...command: string[]): Promise<KilledCommand>;
  run: string[];
}

interface KilledCommand {
  status: number | NodeJS.Signals;
  kills: number;
  what: string;
  summary: { output_paths: string[] } & Record<string, unknown>;
}

/** A dataset, and an emulator in this process, which counts. */
async function openTrial({ faults = [], distinct }: { faults?: FaultScript; distinct?: number } = {}) {
  const directory = await temporaryDirectory();
  const dir = join(directory, 'store');
  const emulator = await startEmulator({
    store: createDirectoryStore(dir),
    stateDirectory: join(dir, '.emulator'),
    clock: systemClock,
    trackRecords: true,
    faults,
  });
  const dataset = await writeQuestions(directory, {
    rows: ROWS,
    ...(distinct === undefined ? {} : { distinct }),
  });
  const trial: Trial = {
    dir,
    emulator,
    kill: async (moments, ...command) => {
      const start = () => startQuarry(...command, '--dir', dir, '--emulator', emulator.url, '--json');
      const { process, status, kills } = await killAt(moments, dir, start);
      const what = `seed ${SEED}: ${kills} kills at ${JSON.stringify(moments)}\n${process.err()}`;
      return { status, kills, what, summary: JSON.parse(process.out() || 'null') };
    },
    run: [
      ...['run', ...dataset, '--run-id', 'killed', '--model-id', MODEL, '--prompt-template', 'Answer {text}'],
      ...['--max-records-per-job', String(ROWS / PARTS)],
    ],
    [Symbol.asyncDispose]: () => emulator.close(),
  };
  return trial;
}

test('a run that is killed while results are merged and added up ends with every row once', async () => {
  console.info(`QUARRY_KILL_SEED=${SEED}`);
  const random = createRandom(SEED + 3);
  await using trial = await openTrial({
    faults: [{ fault: { kind: 'record-errors', fraction: 0.5, errorCode: 503, firstAttemptOnly: true } }],
    distinct: DISTINCT,
  });
  const moments = Array.from({ length: KILLS }, () =>
    drawMomentAfter(/merge\.json|merged\/|runs\/killed\/output\/|answers\//, random),
  );
  const { status, summary, what } = await trial.kill(moments, ...trial.run, '--reuse');
  expect(status, what).toBe(0);
  expect(summary, what).toMatchObject({ status: 'succeeded', rows: { total: ROWS, succeeded: ROWS } });
  await expectEveryRowOnce(summary.output_paths, { rows: ROWS, distinct: DISTINCT });
  const { tracked, totals } = await trial.emulator.usage();
  expect(totals.answered, what).toBe(DISTINCT);
  expect(tracked?.bodiesAnsweredMoreThanOnce, what).toEqual([]);

  // Whatever was killed while they were kept, they are all there; and a run that is killed while it takes them takes each.
  const taking = Array.from({ length: KILLS }, () => drawMomentAfter(/laid\/|slices\/|plan\.json/, random));
  const again = await trial.kill(taking, ...trial.run, '--reuse', '--run-id', 'again');
  expect(again.summary, again.what).toMatchObject({
    status: 'succeeded',
    jobs: 0,
    rows: { total: ROWS, succeeded: ROWS, reused: ROWS },
  });
  await expectEveryRowOnce(again.summary.output_paths, { rows: ROWS, distinct: DISTINCT });
  expect((await trial.emulator.usage()).totals.answered, again.what).toBe(DISTINCT);
}, 600_000);

test('a cancel and a resume that are killed at random moments lose nothing, and pay for nothing twice', async () => {
  const random = createRandom(SEED + 4);
  await using trial = await openTrial();
  const moments = (count: number) => Array.from({ length: count }, () => drawMoment(random));
  // The run itself is killed, so that the cancel does its work; killed too, it is repeated.
  const planned = drawMomentAfter(/plan\.json/, random);
  const run = startQuarry(...trial.run, '--dir', trial.dir, '--emulator', trial.emulator.url);
  await run.printed(/Submit|job|Planned|part/i).catch(() => {});
  run.signal('SIGKILL');
  await run.ended;
  const cancelled = await trial.kill([planned, ...moments(KILLS - 1)], 'cancel', 'killed');
  expect(cancelled.summary, cancelled.what).toMatchObject({ rows: { total: ROWS } });
  expect(['cancelled', 'succeeded'], cancelled.what).toContain(cancelled.summary.status);

  const { status, summary, what } = await trial.kill(moments(KILLS), 'resume', 'killed');
  expect(status, what).toBe(0);
  expect(summary, what).toMatchObject({ status: 'succeeded', rows: { total: ROWS, succeeded: ROWS } });
  await expectEveryRowOnce(summary.output_paths, { rows: ROWS });
  const { tracked } = await trial.emulator.usage();
  expect(tracked?.answeredMoreThanOnce, what).toEqual([]);
  expect(tracked?.bodiesAnsweredMoreThanOnce, what).toEqual([]);
}, 600_000);
