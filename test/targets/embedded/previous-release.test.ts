import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RunPlan } from '../../../src/core/plan/run-plan.ts';
import { runLayout } from '../../../src/runs/run-layout.ts';
import { inputHashOf } from '../../../src/steps/plan/run-identity.ts';
import { verifyRun } from '../../../src/steps/run/verify-run.ts';
import { createDirectoryStore } from '../../../src/store/directory-store.ts';
import { readJson, writeJson } from '../../../src/store/json-object.ts';
import { LOCAL_BUCKET, sha256 } from '../../../src/targets/local/local-target.ts';
import { openEmulatedTarget, outputRows, runEmulated } from '../../support/emulated-run.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

/** What version 0.1.0 left of a run of three parts when it was killed: one is collected, two are prepared. */
const RECORDED = new URL('../../fixtures/runs/0.1.0', import.meta.url).pathname;
const layout = runLayout(`s3://${LOCAL_BUCKET}/runs/old`);

async function recordedRun() {
  const directory = await temporaryDirectory();
  await cp(RECORDED, join(directory, LOCAL_BUCKET), { recursive: true });
  const store = createDirectoryStore(directory);
  const input = JSON.parse(await readFile(store.localPath?.(layout.plan) ?? '', 'utf8')).input;
  return { directory, store, input: { ...input, run_id: 'old' } };
}

/** Gives the dataset's file the tag that it has in this place, as on the machine that planned the run. */
async function tagInPlace({
  store,
  input: { run_id: _, ...input },
}: Awaited<ReturnType<typeof recordedRun>>) {
  const plan = await readJson(store, layout.plan, RunPlan);
  const [file] = plan.dataset.files;
  const info = await store.head(input.s3_uri);
  if (file === undefined || info === undefined) throw new Error('The recorded run has no dataset.');
  // As version 0.1.0 worked it out: otherwise nobody would find the run again.
  const planned = { uri: file.uri, size: file.bytes, etag: file.etag };
  expect(inputHashOf(input, plan.variants[0].prompt_template, { source: [planned], hash: sha256 })).toBe(
    plan.input_hash,
  );
  file.etag = info.etag ?? '';
  const input_hash = inputHashOf(input, plan.variants[0].prompt_template, { source: [info], hash: sha256 });
  await writeJson(store, layout.plan, { ...plan, input_hash });
}

function resume({ directory, input }: Awaited<ReturnType<typeof recordedRun>>) {
  return openEmulatedTarget({ directory }).then(async (emulated) => {
    await using world = emulated;
    const result = await runEmulated(input, { target: world.target, random: () => 0.5 });
    return {
      result,
      rows: result.kind === 'finished' ? await outputRows(result, directory) : [],
      usage: await world.emulator.usage(),
    };
  });
}

test('a run that the previous release began is taken up: what it had collected stays, and only the rest is sent', async () => {
  const recorded = await recordedRun();
  await tagInPlace(recorded);
  const first = await readFile(recorded.store.localPath?.(layout.output('p00001')) ?? '');
  const { result, rows, usage } = await resume(recorded);
  expect(result).toMatchObject({
    kind: 'finished',
    summary: { status: 'succeeded', rows: { total: 450, succeeded: 450, failed: 0, not_sent: 0 }, jobs: 3 },
  });
  expect(usage.totals.answered).toBe(300);
  expect(rows.map(({ name }) => name)).toEqual(Array.from({ length: 450 }, (_, row) => `row ${row}`));
  expect(await readFile(recorded.store.localPath?.(layout.output('p00001')) ?? '')).toEqual(first);
  expect(await verifyRun(layout, recorded.store)).toMatchObject({ rows: 450, broken: [] });
});

test('records that the previous release prepared are sent again byte for byte, though it noted no lengths of them', async () => {
  const recorded = await recordedRun();
  await tagInPlace(recorded);
  const { directory, input } = recorded;
  const faults = [
    {
      when: { jobs: [1] },
      fault: { kind: 'record-errors' as const, fraction: 0.5, errorCode: 503, firstAttemptOnly: true },
    },
  ];
  await using emulated = await openEmulatedTarget({ directory, emulator: { faults } });
  const result = await runEmulated(input, { target: emulated.target, random: () => 0.5 });
  expect(result).toMatchObject({
    kind: 'finished',
    summary: { status: 'succeeded', rows: { succeeded: 450 } },
  });
  const [second, third, again] = await Promise.all(
    ['p00002', 'p00003', 'w3p00001'].map(async (part) =>
      (await readFile(recorded.store.localPath?.(layout.records(part)) ?? '', 'utf8')).trim().split('\n'),
    ),
  );
  expect(again?.length).toBeGreaterThan(0);
  // Which of the two parts the first job is of is left to chance.
  expect([...(second ?? []), ...(third ?? [])]).toEqual(expect.arrayContaining(again ?? ['']));
});

test('a run of the previous release whose dataset was moved is refused with why, and nothing is sent or lost', async () => {
  const recorded = await recordedRun();
  const { result, usage } = await resume(recorded);
  expect(result).toMatchObject({
    kind: 'failed',
    error: 'RunConflictError',
    message:
      'Run "old" exists, with another input: the dataset’s files (or their place: Quarry 0.1.0 knew files by it) differ. Give another run_id, or the same input to resume.',
  });
  expect(usage.totals).toMatchObject({ jobs: 0, answered: 0 });
  expect(await verifyRun(layout, recorded.store)).toMatchObject({ broken: [] });
});

test('files of a format that this version does not know are refused with what to do, and left as they are', async () => {
  const recorded = await recordedRun();
  const path = recorded.store.localPath?.(layout.plan) ?? '';
  const later = JSON.stringify({
    ...JSON.parse(await readFile(path, 'utf8')),
    format_version: 99,
    quarry_version: '9.0.0',
  });
  await writeFile(path, later);
  const { result, usage } = await resume(recorded);
  expect(result).toMatchObject({
    kind: 'failed',
    error: 'NotSupportedError',
    message: expect.stringMatching(
      /was written by Quarry 9\.0\.0, in a format that this version, .*, does not read\. Continue with that version, or start a new run under another run_id\.$/,
    ),
  });
  expect(usage.totals).toMatchObject({ jobs: 0, answered: 0 });
  expect(await readFile(path, 'utf8')).toBe(later);
});
