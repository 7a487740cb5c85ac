import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { JobRecord } from '../../../src/core/jobs/job-record.ts';
import { simulatedAnswer } from '../../../src/emulator/models/simulated-model.ts';
import type { EmulatorUsage } from '../../../src/emulator/models/usage.ts';
import { readResults } from '../../../src/rows/results/read-results.ts';
import { createDirectoryStore } from '../../../src/store/directory-store.ts';
import { readJsonIfPresent } from '../../../src/store/json-object.ts';
import type { ObjectStore } from '../../../src/store/object-store.ts';
import { startEmulatorProcess, startQuarry } from '../../support/quarry-process.ts';
import { runQuarry } from '../../support/run-quarry.ts';
import { readStored } from '../../support/stored-document.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const MODEL = 'us.amazon.nova-lite-v1:0';
const RUN = 's3://quarry-local/runs/mine';

/** A dataset of so many rows, and what starts a run of it. */
async function prepareRun(rows: number) {
  const directory = await temporaryDirectory();
  const file = join(directory, 'rows.csv');
  await writeFile(file, `n\n${Array.from({ length: rows }, (_, index) => index).join('\n')}\n`);
  const dir = join(directory, 'store');
  const flags = ['--model-id', MODEL, '--prompt-template', 'Say {n}', '--run-id', 'mine', '--dir', dir];
  return { directory, file, dir, store: createDirectoryStore(dir), flags };
}

/** A run whose process was killed while its job was under way. */
async function prepareKilledRun(rows: number) {
  const prepared = await prepareRun(rows);
  const run = startQuarry('run', prepared.file, ...prepared.flags);
  await run.printed('Wave 1');
  await jobIsKnown(prepared.store);
  run.signal('SIGKILL');
  await run.ended;
  return prepared;
}

async function expectAllAnswered(json: string, rows: number): Promise<void> {
  const summary = JSON.parse(json);
  expect(summary).toMatchObject({ status: 'succeeded', rows: { total: rows, succeeded: rows } });
  const out = await Array.fromAsync(readResults(summary.output_paths, {}));
  expect(out.map(({ response }) => response)).toEqual(
    Array.from({ length: rows }, (_, index) => simulatedAnswer(MODEL, `Say ${index}`)),
  );
}

/** Waits until the run has written down the job of its first part. */
async function jobIsKnown(store: ObjectStore): Promise<void> {
  const uri = `${RUN}/jobs/p00001.json` as const;
  while ((await readJsonIfPresent(store, uri, JobRecord))?.job_arn == null) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function readUsage(url: string): Promise<EmulatorUsage> {
  return (await (await fetch(`${url}/_emulator/usage`)).json()) as EmulatorUsage;
}

test('a run that its budget ended is resumed with a higher one, and what is no sum is refused', async () => {
  const dir = await temporaryDirectory();
  const file = join(dir, 'rows.jsonl');
  // One row is without a prompt: where all are answered, cut off or not, a run has nothing to go on with.
  const rows = Array.from({ length: 121 }, (_, index) => JSON.stringify({ a: index === 7 ? null : index }));
  await writeFile(file, `${rows.join('\n')}\n`);
  const args = [
    file,
    '--dir',
    dir,
    '--model-id',
    'us.amazon.nova-lite-v1:0',
    '--prompt-template',
    'Say {a}',
    '--json',
  ];
  const flags = ['--max-tokens', '5', '--retry-truncated', '--max-attempts', '2', '--run-id', 'dear'];
  const { estimate } = JSON.parse((await runQuarry('plan', ...args, ...flags)).out);
  const stopped = await runQuarry('run', ...args, ...flags, '--max-cost-usd', String(estimate.max_usd * 1.4));
  expect(JSON.parse(stopped.out)).toMatchObject({ status: 'stopped', stop: { reason: 'budget' }, jobs: 1 });

  const resume = (usd: string) => runQuarry('resume', 'dear', '--dir', dir, '--max-cost-usd', usd, '--json');
  expect((await resume('0')).err).toContain('It is not a sum above 0.');
  expect(JSON.parse((await resume('1')).out)).toMatchObject({
    status: 'partly_succeeded',
    stop: null,
    input: { max_cost_usd: 1 },
    jobs: 2,
    rows: { total: 121, succeeded: 120, not_sent: 1 },
  });
});

test('cancel makes the process at work stop its jobs and keep what they had done; resume goes on', async () => {
  const { file, dir, flags } = await prepareRun(300);
  const emulator = await startEmulatorProcess(dir, { timeScale: 2 });
  const at = ['--dir', dir, '--emulator', emulator.url];
  const run = startQuarry('run', file, ...flags, '--emulator', emulator.url, '--json');
  await run.printed('Wave 1');
  const isInProgress = async () => {
    const { out } = await runQuarry('jobs', '--json', ...at);
    return JSON.parse(out).some(({ status }: { status: string }) => status === 'InProgress');
  };
  while (!(await isInProgress())) await new Promise((resolve) => setTimeout(resolve, 200));

  const live = await runQuarry('status', 'mine', '--dir', dir);
  expect(live.out).toContain(`Process ${run.pid} on `);
  expect(live.out).toMatch(/parts +1 running\n +records +[\d,]+ of 300 done by the jobs under way/);
  const told = JSON.parse((await runQuarry('status', '--json', '--dir', dir)).out);
  expect(told).toMatchObject({
    run_id: 'mine',
    status: 'running',
    process: { pid: run.pid },
    parts: { running: 1, waiting: 0, collected: 0 },
    records: { total: 300 },
  });
  expect(JSON.parse((await runQuarry('runs', '--dir', dir, '--json')).out)).toMatchObject([
    { run_id: 'mine', status: 'running' },
  ]);
  const second = await runQuarry('run', file, ...flags, '--emulator', emulator.url);
  expect(second.status).toBe(1);
  expect(second.err).toMatch(
    new RegExp(
      `Error: .*process ${run.pid} on .*\n.*quarry status mine --dir ${dir}\n[\\s\\S]*\\(RunBusyError\\)`,
    ),
  );

  const cancelled = await runQuarry('cancel', 'mine', ...at, '--json');
  expect(cancelled.status).toBe(2);
  expect(cancelled.err).toContain(`Process ${run.pid} on `);
  const summary = JSON.parse(cancelled.out);
  expect(summary).toMatchObject({ status: 'cancelled', rows: { total: 300 } });
  // What the stopped job had not come to yet was not sent.
  expect(summary.rows.succeeded + summary.rows.failed + summary.rows.not_sent).toBe(300);
  expect(summary.reasons).toMatchObject([{ error_code: 'JobStopped' }]);
  expect(await run.ended).toBe(2);
  expect((await runQuarry('cancel', 'mine', ...at)).err).toContain('has ended already');

  const resumed = await runQuarry('resume', 'mine', ...at, '--json');
  expect(resumed.status).toBe(0);
  await expectAllAnswered(resumed.out, 300);
  const usage = await readUsage(emulator.url);
  expect(usage.tracked?.answeredMoreThanOnce).toEqual([]);
}, 120_000);

test('cancel does the work itself where the process was killed, with the emulator of the folder', async () => {
  const { file, dir, flags } = await prepareKilledRun(200);
  expect((await runQuarry('status', 'mine', '--dir', dir)).out).toContain('No process is working on it.');
  const cancelled = await runQuarry('cancel', 'mine', '--dir', dir, '--json');
  expect(cancelled.status).toBe(2);
  expect(JSON.parse(cancelled.out)).toMatchObject({ status: 'cancelled', rows: { total: 200 } });
  expect((await runQuarry('run', file, ...flags)).out).toMatch(/Run mine: cancelled/);
  const resumed = await runQuarry('resume', 'mine', '--dir', dir, '--json');
  await expectAllAnswered(resumed.out, 200);
}, 120_000);

test('Ctrl-C and SIGTERM stop cleanly and say how to go on; a second one stops at once', async () => {
  const { file, dir, flags } = await prepareRun(200);
  const emulator = await startEmulatorProcess(dir, { timeScale: 2 });
  const start = () => startQuarry('run', file, ...flags, '--emulator', emulator.url);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const run = start();
    await run.printed('Wave 1');
    run.signal(signal);
    expect(await run.ended).toBe(130);
    expect(run.err()).toContain(
      'Jobs that were submitted keep running, and are collected when the run is resumed.',
    );
    expect(run.err()).toContain(`To continue: quarry resume mine --dir ${dir}`);
    expect(run.err()).toContain(`quarry cancel mine --dir ${dir}`);
  }
  const hasty = start();
  await hasty.printed('Wave 1');
  hasty.signal('SIGINT');
  hasty.signal('SIGINT');
  expect([130, 'SIGINT']).toContain(await hasty.ended);
  const resumed = await runQuarry('resume', 'mine', '--dir', dir, '--emulator', emulator.url, '--json');
  await expectAllAnswered(resumed.out, 200);
  const usage = await readUsage(emulator.url);
  expect(usage.totals).toMatchObject({ jobs: 1, answered: 200 });
}, 120_000);

test('two runs at once on one folder share one emulator, and the one that is left takes it over', async () => {
  const { file, dir, flags } = await prepareRun(150);
  const first = startQuarry('run', file, ...flags, '--json');
  await first.printed('Wave 1');
  const other = startQuarry('run', file, ...flags, '--run-id', 'other', '--json');
  await other.printed('Wave 1');
  expect(await first.ended, first.err()).toBe(0);
  expect(await other.ended, other.err()).toBe(0);
  await expectAllAnswered(first.out(), 150);
  await expectAllAnswered(other.out(), 150);
  const jobs = JSON.parse((await runQuarry('jobs', '--dir', dir, '--json')).out);
  expect(jobs.map(({ run_id, status }: Record<string, string>) => [run_id, status]).sort()).toEqual([
    ['mine', 'Completed'],
    ['other', 'Completed'],
  ]);
}, 120_000);

test('a job that no run knows is listed as an orphan, adopted by its run, and harvested', async () => {
  const { dir, store } = await prepareKilledRun(200);
  const record = join(dir, 'quarry-local', 'runs', 'mine', 'jobs', 'p00001.json');
  const { job_name, ...rest } = await readStored(record);
  // As it stands where the process was killed before Bedrock's answer was there.
  await writeFile(record, JSON.stringify({ job_name, ...rest, job_arn: null }));

  const orphans = JSON.parse((await runQuarry('jobs', '--orphans', '--dir', dir, '--json')).out);
  expect(orphans).toMatchObject([
    { job: job_name, run_id: 'mine', part: 'p00001', attempt: 1, orphan: true },
  ]);
  expect((await runQuarry('jobs', '--dir', dir)).out).toContain(job_name);
  expect((await runQuarry('adopt', 'none', '--dir', dir)).err).toContain('There is no run "none"');
  const adopted = await runQuarry('adopt', 'mine', '--dir', dir);
  expect(adopted.out).toBe(`${job_name}: adopted. To collect it: quarry resume mine --dir ${dir}\n`);
  expect((await runQuarry('jobs', '--orphans', '--dir', dir)).out).toBe('Every job is known to its run.\n');
  expect((await runQuarry('adopt', '--dir', dir, '--json')).out).toBe('[]\n');

  const resumed = await runQuarry('resume', 'mine', '--dir', dir, '--json');
  await expectAllAnswered(resumed.out, 200);
  expect(JSON.parse(resumed.out).jobs).toBe(1);

  // A part that was collected has no use for another job.
  await store.delete(`${RUN}/jobs/p00001.json`);
  expect((await runQuarry('adopt', '--dir', dir)).out).toContain(
    'left as it is, its part has been collected',
  );
}, 120_000);

test('an error names a dataset by the path that the user gave', async () => {
  const { directory, dir } = await prepareRun(1);
  const file = join(directory, 'bad.csv');
  await writeFile(file, 'a,b\n1,2\n3\n');
  for (const command of ['run', 'plan']) {
    const { err } = await runQuarry(
      command,
      file,
      '--model-id',
      MODEL,
      '--prompt-template',
      '{a}',
      '--dir',
      dir,
    );
    expect(err).toContain(file);
    expect(err).not.toContain('s3://');
  }
});
