import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createJobControl } from '../../../src/bedrock/job-control.ts';
import { createVirtualClock } from '../../../src/core/clock.ts';
import { JobRecord } from '../../../src/core/jobs/job-record.ts';
import { PartLedger } from '../../../src/core/run/ledger.ts';
import { simulatedAnswer } from '../../../src/emulator/models/simulated-model.ts';
import { readResults } from '../../../src/rows/results/read-results.ts';
import { runLayout } from '../../../src/runs/run-layout.ts';
import { markCancelled, reopenCancelled } from '../../../src/steps/run/cancellation.ts';
import { createDirectoryStore, localPathOf } from '../../../src/store/directory-store.ts';
import { readJson, writeJson } from '../../../src/store/json-object.ts';
import type { ObjectStore } from '../../../src/store/object-store.ts';
import {
  type LocalRunOptions,
  type LocalRunResult,
  runLocally,
} from '../../../src/targets/embedded/run-locally.ts';
import { LOCAL_BUCKET, openLocalTarget, sha256 } from '../../../src/targets/local/local-target.ts';
import { stageDataset } from '../../../src/targets/local/stage-dataset.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const MODEL = 'us.amazon.nova-lite-v1:0';
const layout = runLayout(`s3://${LOCAL_BUCKET}/runs/mine`);
const now = new Date('2026-01-01T00:00:00Z');

interface Trial {
  directory: string;
  store: ObjectStore;
  run(options?: Partial<LocalRunOptions>): Promise<LocalRunResult>;
}

/** A run of so many rows in parts of 100, with one job at a time. */
async function prepareTrial(rows: number): Promise<Trial> {
  const directory = await temporaryDirectory();
  const file = join(directory, 'rows.csv');
  await writeFile(file, `n\n${Array.from({ length: rows }, (_, index) => index).join('\n')}\n`);
  const { uri: s3_uri } = await stageDataset(file, { directory, bucket: LOCAL_BUCKET, hash: sha256 });
  const input = {
    s3_uri,
    model_id: MODEL,
    prompt_template: 'Say {n}',
    run_id: 'mine',
    max_records_per_job: 100,
  };
  return {
    directory,
    store: createDirectoryStore(directory),
    run: async (options = {}) => {
      await using target = await openLocalTarget({
        directory,
        clock: createVirtualClock(),
        version: '0.0.0',
        quotas: { maxConcurrentJobs: 1 },
      });
      return await runLocally(input, { target, random: () => 0.5, ...options });
    },
  };
}

/** Runs, and cancels at the first progress of a kind. */
async function runUntil(
  { run, store }: Trial,
  isMoment: (progress: { kind: string; status?: string }) => boolean,
): Promise<LocalRunResult> {
  const marks: Promise<void>[] = [];
  const result = await run({
    onProgress: (progress) => {
      if (marks.length === 0 && isMoment(progress)) marks.push(markCancelled(layout, store, now));
    },
  });
  await Promise.all(marks);
  return result;
}

async function jobsOf({ directory }: Trial): Promise<number> {
  await using target = await openLocalTarget({ directory, clock: createVirtualClock(), version: '0.0.0' });
  return (await Array.fromAsync(createJobControl(target.control).listJobs())).length;
}

async function expectAllAnswered(result: LocalRunResult, { directory }: Trial, rows: number): Promise<void> {
  expect(result).toMatchObject({
    kind: 'finished',
    summary: { status: 'succeeded', rows: { total: rows, succeeded: rows } },
  });
  if (result.kind !== 'finished') return;
  const paths = result.summary.output_uris.map((uri) => localPathOf(directory, uri as `s3://${string}`));
  const out = await Array.fromAsync(readResults(paths, {}));
  expect(out.map(({ response }) => response)).toEqual(
    Array.from({ length: rows }, (_, index) => simulatedAnswer(MODEL, `Say ${index}`)),
  );
}

test('a run cancelled before anything was sent sends nothing, and says so in every row', async () => {
  const trial = await prepareTrial(300);
  const result = await runUntil(trial, ({ kind }) => kind === 'planned');
  expect(result).toMatchObject({
    kind: 'finished',
    summary: {
      status: 'cancelled',
      rows: { total: 300, succeeded: 0, failed: 0, not_sent: 300 },
      jobs: 0,
      reasons: [{ error_code: 'RunCancelled', rows: 300 }],
    },
  });
  expect(await jobsOf(trial)).toBe(0);
});

test('a cancelled run stops its jobs, keeps what they had done, and sends nothing more', async () => {
  const trial = await prepareTrial(300);
  const result = await runUntil(trial, ({ status }) => status === 'InProgress');
  expect(result).toMatchObject({
    kind: 'finished',
    summary: { status: 'cancelled', rows: { total: 300, not_sent: 200 }, jobs: 1 },
  });
  expect(await jobsOf(trial)).toBe(1);
});

test('the same input again leaves a cancelled run cancelled', async () => {
  const trial = await prepareTrial(300);
  const first = await runUntil(trial, ({ kind }) => kind === 'planned');
  expect(await trial.run()).toEqual(first);
  expect(await jobsOf(trial)).toBe(0);
});

test('a cancelled run that is taken up again answers every row', async () => {
  const trial = await prepareTrial(300);
  await runUntil(trial, ({ kind }) => kind === 'planned');
  const result = await trial.run({ onClaimed: (at) => reopenCancelled(at, trial.store) });
  await expectAllAnswered(result, trial, 300);
  expect(await jobsOf(trial)).toBe(3);
});

test('a reopening that is broken off anywhere leaves a run that is cancelled still, or open', async () => {
  for (const steps of [0, 1]) {
    const trial = await prepareTrial(300);
    await runUntil(trial, ({ kind }) => kind === 'planned');
    let left = steps;
    const breaking: ObjectStore = {
      ...trial.store,
      delete: async (uri) => {
        left -= 1;
        if (left < 0) throw new Error('Killed.');
        await trial.store.delete(uri);
      },
    };
    await expect(reopenCancelled(layout, breaking)).rejects.toThrow('Killed.');
    expect(await trial.run()).toMatchObject({ kind: 'finished', summary: { status: 'cancelled' } });
    await expectAllAnswered(
      await trial.run({ onClaimed: (at) => reopenCancelled(at, trial.store) }),
      trial,
      300,
    );
  }
});

test('a job whose record was lost is stopped and harvested by a cancel, not left to run', async () => {
  const trial = await prepareTrial(100);
  const abort = new AbortController();
  await trial.run({
    signal: abort.signal,
    onProgress: ({ kind }) => kind === 'job' && abort.abort(new Error('Interrupted.')),
  });
  // As a process leaves it that is killed before Bedrock's answer is there.
  const record = await readJson(trial.store, layout.job('p00001'), JobRecord);
  await writeJson(trial.store, layout.job('p00001'), { ...record, job_arn: null });
  await markCancelled(layout, trial.store, now);
  const result = await trial.run();
  expect(result).toMatchObject({
    kind: 'finished',
    summary: { jobs: 1, rows: { total: 100 } },
  });
  const ledger = await readJson(trial.store, layout.ledger('p00001'), PartLedger);
  expect(ledger.job_arn).toBe(record.job_arn);
  expect(await jobsOf(trial)).toBe(1);
});

test('two runs of one id at once: the second is refused and does nothing', async () => {
  const trial = await prepareTrial(100);
  let second: Promise<LocalRunResult> | undefined;
  const first = await trial.run({
    onProgress: ({ kind }) => {
      if (kind === 'planned') second ??= trial.run();
    },
  });
  expect(await second).toMatchObject({ kind: 'failed', error: 'RunBusyError' });
  await expectAllAnswered(first, trial, 100);
  expect(await jobsOf(trial)).toBe(1);
});
