import { existsSync } from 'node:fs';
import { access, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { createRandom } from '../../src/emulator/faults/seeded-random.ts';
import type { EmulatorUsage } from '../../src/emulator/models/usage.ts';
import { LOCAL_BUCKET } from '../../src/targets/local/local-target.ts';
import { filesOfRun, followAdvice, HARMS, type HarmedFile, harmOneOf } from '../support/harmed-files.ts';
import { startEmulatorProcess, startQuarry } from '../support/quarry-process.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import {
  comes,
  drawImages,
  drawMoment,
  expectEveryRowOnce,
  KILLS,
  MODEL,
  type Questions,
  SEED,
  writeQuestions,
} from './killing.ts';

const ROWS = 450;
/** Each harm may have to be told of, and mended, on its own. */
const MOST_STARTS = 4 * KILLS + 5;
/** Milliseconds that a command beside a suspended process may take, on a machine that is busy. */
const DEADLINE_MS = 60_000;

/** What no user is to see. */
const RAW = /ZodError|SyntaxError|TypeError|^\s+at .*:\d+:\d+/m;

async function openPlace(questions: Questions) {
  const directory = await temporaryDirectory();
  const dir = join(directory, 'store');
  const run = [
    ...['run', ...(await writeQuestions(directory, questions)), '--dir', dir, '--run-id', 'killed', '--json'],
    ...['--model-id', MODEL, '--prompt-template', 'Answer {text}', '--max-records-per-job', '150'],
  ];
  return { dir, run };
}

/** Everything that is kept of a run, the word of where it is and of who works on it included. */
async function everyFile(dir: string): Promise<string[]> {
  const others = [join(dir, LOCAL_BUCKET, 'locks', 'killed.json'), join(dir, 'known-runs', 'killed.json')];
  const there = await Promise.all(
    others.map((path) =>
      access(path).then(
        () => [path],
        () => [],
      ),
    ),
  );
  return [...(await filesOfRun(dir, 'killed')), ...there.flat()];
}

/** The jobs of the emulator. */
async function filesOfEmulator(dir: string): Promise<string[]> {
  const folder = join(dir, '.emulator', 'jobs');
  const names = await readdir(folder);
  return names.filter((name) => name.endsWith('.json')).map((name) => join(folder, name));
}

test('a run that is killed, and of which a file is then harmed, ends right, or names the file and goes on', async () => {
  console.info(`QUARRY_KILL_SEED=${SEED}`);
  const random = createRandom(SEED + 5);
  const questions = { rows: ROWS, showsImages: drawImages(random) };
  const { dir, run } = await openPlace(questions);
  let emulator = await startEmulatorProcess(dir);
  const harmed: HarmedFile[] = [];
  let left = KILLS;
  let status: number | NodeJS.Signals = 1;
  let out = '';
  let what = `seed ${SEED}:`;
  for (let start = 1; status !== 0 && start <= MOST_STARTS; start += 1) {
    const process = startQuarry(...run, '--emulator', emulator.url);
    const isKilled =
      left > 0 && (await Promise.race([comes(drawMoment(random), dir), process.ended])) === undefined;
    if (isKilled) {
      left -= 1;
      process.signal('SIGKILL');
      await process.ended;
      const harm = {
        how: HARMS[Math.floor(random() * HARMS.length)] ?? 'emptied',
        file: Math.floor(random() * 1000),
        at: random(),
      };
      const file = await harmOneOf(await everyFile(dir), harm);
      if (file !== undefined) harmed.push(file);
      what += ` ${file?.path} ${harm.how};`;
      continue;
    }
    status = await process.ended;
    out = process.out();
    what += `\n${process.err()}`;
    expect(process.err(), what).not.toMatch(RAW);
    if (status === 1) await followAdvice(process.err(), harmed);
  }
  expect(status, what).toBe(0);
  const summary = JSON.parse(out);
  expect(summary, what).toMatchObject({
    status: 'succeeded',
    jobs: 3,
    rows: { total: ROWS, succeeded: ROWS },
  });
  await expectEveryRowOnce(summary.output_paths, questions);
  const usage = (await (await fetch(`${emulator.url}/_emulator/usage`)).json()) as EmulatorUsage;
  expect(usage.totals, what).toMatchObject({ jobs: 3, answered: ROWS });
  expect(usage.tracked?.answeredMoreThanOnce, what).toEqual([]);

  // Its own files as well: each has the copy before it beside it.
  emulator.signal('SIGKILL');
  await emulator.ended;
  const jobs = await filesOfEmulator(dir);
  const book = { how: 'of one other bit' as const, file: Math.floor(random() * 1000), at: random() };
  const file = await harmOneOf(jobs, book);
  emulator = await startEmulatorProcess(dir);
  const again = (await (await fetch(`${emulator.url}/_emulator/usage`)).json()) as EmulatorUsage;
  expect(again.totals, `${what} ${file?.path}`).toMatchObject({ jobs: 3, answered: ROWS });
}, 600_000);

test('beside a run that is suspended at a random moment every command answers soon, and the run ends right', async () => {
  const random = createRandom(SEED + 6);
  const questions = { rows: ROWS, showsImages: drawImages(random) };
  const { dir, run } = await openPlace(questions);
  const first = startQuarry(...run);
  // Looked for, and not waited for by the folder's changes: the run makes the folder only now.
  const plan = join(dir, LOCAL_BUCKET, 'runs', 'killed', 'plan.json');
  while (!existsSync(plan)) await sleep(5);
  const afterMs = Math.round(random() * 400);
  await sleep(afterMs);
  first.signal('SIGSTOP');
  onTestFinished(() => first.signal('SIGCONT'));
  const what = `seed ${SEED}: ${afterMs} ms after the plan`;
  for (const command of [
    ['status', 'killed', '--dir', dir],
    ['jobs', '--dir', dir],
    run,
    ['resume', 'killed', '--dir', dir],
  ]) {
    const startedAtMs = performance.now();
    const beside = startQuarry(...command);
    await beside.ended;
    expect(performance.now() - startedAtMs, `${what} ${command[0]}`).toBeLessThan(DEADLINE_MS);
    expect(beside.out() + beside.err(), `${what} ${command[0]}`).toContain(`${first.pid}`);
    expect(beside.out() + beside.err(), `${what} ${command[0]}`).toContain(`kill -CONT ${first.pid}`);
  }
  first.signal('SIGCONT');
  expect(await first.ended, `${what}\n${first.err()}`).toBe(0);
  const summary = JSON.parse(first.out());
  expect(summary, what).toMatchObject({
    status: 'succeeded',
    jobs: 3,
    rows: { total: ROWS, succeeded: ROWS },
  });
  await expectEveryRowOnce(summary.output_paths, questions);
}, 600_000);
