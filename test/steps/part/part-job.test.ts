import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { JobRecord } from '../../../src/core/jobs/job-record.ts';
import { RunPlan } from '../../../src/core/plan/run-plan.ts';
import { runLayout, runUriOf } from '../../../src/runs/run-layout.ts';
import { readJson, writeJson } from '../../../src/store/json-object.ts';
import type { RunTask } from '../../../src/targets/embedded/run-locally.ts';
import { LOCAL_BUCKET } from '../../../src/targets/local/local-target.ts';
import { functionPlaceholder } from '../../../src/workflow/definition.ts';
import { type EmulatedTarget, openEmulatedTarget, runRows } from '../../support/emulated-run.ts';
import { asOnAws, readStepPolicies, withInputBucket } from '../../support/step-policies.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

/** The same account, with the runs in this bucket, which is that of a stack of its own. */
function inBucket(bucket: string, { target, ...rest }: EmulatedTarget): EmulatedTarget {
  const settings = { ...target.deps.settings, bucket };
  // Where the dataset is.
  const policies = withInputBucket(readStepPolicies(), LOCAL_BUCKET);
  return { ...rest, target: { ...target, deps: asOnAws({ ...target.deps, settings }, policies) } };
}

/** Turns the plan, as soon as it is there, into one of version 0.1.0. */
const asOfOldVersion =
  ({ target: { store, deps } }: EmulatedTarget) =>
  (runTask: RunTask): RunTask =>
  async (call) => {
    const output = await runTask(call);
    const { FunctionName } = call.parameters as { FunctionName?: string };
    if (FunctionName === functionPlaceholder('plan')) {
      const uri = runLayout(runUriOf(deps.settings.bucket, 'emulated')).plan;
      const { job_naming: _, ...plan } = await readJson(store, uri, RunPlan);
      await writeJson(store, uri, plan);
    }
    return output;
  };

test('two runs of one input in two buckets share no job, and each harvests its own', async () => {
  const directory = await temporaryDirectory();
  await using emulated = await openEmulatedTarget({ directory, onDisk: true });
  for (const bucket of [LOCAL_BUCKET, 'bucket-b']) {
    expect(await runRows(150, inBucket(bucket, emulated), { directory })).toMatchObject({
      kind: 'finished',
      summary: { status: 'succeeded', jobs: 1, attempts: [{ attempts: 1, rows: 150 }] },
    });
  }
  const { jobs, totals } = await emulated.emulator.usage();
  expect(new Set(jobs.map(({ jobName }) => jobName)).size).toBe(2);
  expect(totals.answered).toBe(300);
});

test('a run whose files were deleted begins anew, and takes no job of the past for its own', async () => {
  const directory = await temporaryDirectory();
  await using emulated = await openEmulatedTarget({ directory });
  await runRows(150, emulated, { directory });
  for (const folder of ['runs', 'working'])
    await rm(join(directory, LOCAL_BUCKET, folder), { recursive: true });
  expect(await runRows(150, emulated, { directory })).toMatchObject({
    kind: 'finished',
    summary: { status: 'succeeded', attempts: [{ attempts: 1, rows: 150 }] },
  });
  expect((await emulated.emulator.usage()).totals).toMatchObject({ jobs: 2, answered: 300 });
});

test('a run that version 0.1.0 planned finds the job that it made, though its record is lost', async () => {
  const directory = await temporaryDirectory();
  await using emulated = await openEmulatedTarget({ directory });
  const { store } = emulated.target;
  const controller = new AbortController();
  const around = asOfOldVersion(emulated);
  const layout = runLayout(runUriOf(LOCAL_BUCKET, 'emulated'));
  const broken = await runRows(150, emulated, {
    directory,
    signal: controller.signal,
    aroundTasks: (runTask) => async (call) => {
      const output = await around(runTask)(call);
      const { FunctionName } = call.parameters as { FunctionName?: string };
      if (FunctionName === functionPlaceholder('submit')) controller.abort();
      return output;
    },
  });
  expect(broken.kind).toBe('aborted');
  const record = await readJson(store, layout.job('p00001'), JobRecord);
  await writeJson(store, layout.job('p00001'), { ...record, job_arn: null });
  expect(await runRows(150, emulated, { directory })).toMatchObject({
    kind: 'finished',
    summary: { status: 'succeeded', jobs: 1 },
  });
  expect((await emulated.emulator.usage()).totals).toMatchObject({ jobs: 1, answered: 150 });
});

test('a run that version 0.1.0 planned leaves another bucket’s job of its name alone, and says what to do', async () => {
  const directory = await temporaryDirectory();
  await using emulated = await openEmulatedTarget({ directory, onDisk: true });
  const run = (bucket: string) => {
    const there = inBucket(bucket, emulated);
    return runRows(150, there, { directory, aroundTasks: asOfOldVersion(there) });
  };
  expect(await run(LOCAL_BUCKET)).toMatchObject({ kind: 'finished', summary: { status: 'succeeded' } });
  expect(await run('bucket-b')).toMatchObject({
    kind: 'failed',
    error: 'SystematicFaultError',
    message: expect.stringMatching(
      /belongs to another run: it writes to s3:\/\/quarry-local\/.* Start this run under another run_id\..*0 of 150 rows/s,
    ),
  });
  expect((await emulated.emulator.usage()).totals).toMatchObject({ jobs: 1, answered: 150 });
});
