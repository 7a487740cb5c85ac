import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RunEvent } from '../../src/core/run/run-event.ts';
import { readSnapshot } from '../../src/runs/run-files-watch.ts';
import { runLayout } from '../../src/runs/run-layout.ts';
import {
  EMPTY_SNAPSHOT,
  type PartState,
  type RunSnapshot,
  reduceEvents,
  totalsOf,
} from '../../src/runs/run-snapshot.ts';
import { LOCAL_BUCKET, sha256 } from '../../src/targets/local/local-target.ts';
import { stageDataset } from '../../src/targets/local/stage-dataset.ts';
import { MODEL, openEmulatedTarget, runEmulated } from '../support/emulated-run.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** What a run of two jobs, one of which breaks off, tells, and what its files tell afterwards. */
async function toldRun() {
  const directory = await temporaryDirectory();
  await using emulated = await openEmulatedTarget({
    directory,
    emulator: {
      faults: [
        { when: { jobs: [1] }, fault: { kind: 'job-ended', status: 'PartiallyCompleted', fraction: 0.4 } },
      ],
    },
  });
  const file = join(directory, 'rows.csv');
  await writeFile(file, `name\n${Array.from({ length: 400 }, (_, index) => `row ${index}\n`).join('')}`);
  const { uri: s3_uri } = await stageDataset(file, { directory, bucket: LOCAL_BUCKET, hash: sha256 });
  const events: RunEvent[] = [];
  const result = await runEmulated(
    { s3_uri, model_id: MODEL, prompt_template: 'Say {name}', run_id: 'told', max_records_per_job: 200 },
    { target: emulated.target, random: () => 0.5, onProgress: (event) => events.push(event) },
  );
  if (result.kind !== 'finished') throw new Error(JSON.stringify(result));
  const layout = runLayout(`s3://${LOCAL_BUCKET}/runs/told`);
  const read = await readSnapshot({
    layout,
    store: emulated.target.store,
    isPaid: true,
    waitingOf: async () => undefined,
  });
  return { events, read, summary: result.summary };
}

const statesOf = ({ parts }: RunSnapshot): [string, PartState][] =>
  Object.entries(parts).map(([id, { state }]) => [id, state]);

test('what a run tells and what its files tell is one snapshot, and its numbers are the summary’s', async () => {
  const { events, read, summary } = await toldRun();
  const told = reduceEvents(events);
  expect(statesOf(told)).toEqual(statesOf(read));
  expect(totalsOf(told)).toEqual(totalsOf(read));
  expect(totalsOf(told)).toMatchObject({
    rows: { total: 400, prepared: 400, succeeded: 400, unanswered: 0, owed: 0 },
    tokens: summary.tokens,
    costUsd: summary.cost_usd,
    records: { total: 0, processed: 0 },
  });
  expect(told.waves).toBe(summary.waves);
  expect(told.phase).toBe('summarize');
  expect(JSON.parse(JSON.stringify(told))).toEqual(told);
}, 60_000);

test('events that come again change nothing', async () => {
  const { events } = await toldRun();
  fc.assert(
    fc.property(fc.array(fc.nat({ max: events.length - 1 }), { maxLength: 20 }), (repeated) => {
      const twice = events.flatMap((event, index) => (repeated.includes(index) ? [event, event] : [event]));
      expect(reduceEvents(twice)).toEqual(reduceEvents(events));
    }),
  );
}, 60_000);

const PART = {
  run_uri: 's3://bucket/runs/r' as const,
  part_id: 'p00001',
  variant: 0,
  wave: 1,
  attempt: 1,
  mode: 'batch' as const,
  records: 100,
  bytes: 1,
  sources: [],
  run_max_usd: null,
};
const job = (
  status: 'Submitted' | 'Validating' | 'Scheduled' | 'InProgress' | 'Stopping' | 'Failed',
): RunEvent => ({
  kind: 'job',
  partId: 'p00001',
  jobArn: 'a/1',
  status,
  submittedAt: null,
  totalRecords: 100,
  processedRecords: 40,
});

test('a part waits, and says why, until it has a job; then it is where its job is', () => {
  const begun = reduceEvents([{ kind: 'dispatched', wave: 1, parts: [PART] }]);
  expect(statesOf(begun)).toEqual([['p00001', 'waiting']]);
  const waiting = reduceEvents(
    [
      {
        kind: 'waiting',
        partId: 'p00001',
        error: 'JobQuotaExceededError',
        message: 'Too many jobs.',
        since: '2026-01-01T00:00:00.000Z',
      },
    ],
    begun,
  );
  expect(waiting.parts.p00001?.waitsFor?.message).toBe('Too many jobs.');
  const states = (['Submitted', 'Validating', 'Scheduled', 'InProgress', 'Stopping', 'Failed'] as const).map(
    (status) => reduceEvents([job(status)], waiting).parts.p00001?.state,
  );
  expect(states).toEqual(['submitted', 'validating', 'queued', 'running', 'running', 'collecting']);
  const running = reduceEvents([job('InProgress')], waiting);
  expect(running.parts.p00001?.waitsFor).toBe(null);
  expect(totalsOf(running).records).toEqual({ total: 100, processed: 40 });
  const failed = reduceEvents(
    [
      {
        kind: 'collected',
        partId: 'p00001',
        rows: { total: 100, succeeded: 0, failed: 100, not_sent: 0 },
        tokens: { input: 0, output: 0 },
        owed: 100,
        reasons: [],
        stopReasons: [],
        jobStatus: 'Failed',
        jobSubmittedAt: null,
        jobEndedAt: null,
      },
    ],
    running,
  );
  expect(statesOf(failed)).toEqual([['p00001', 'failed']]);
  expect(totalsOf(failed).rows).toEqual({
    total: null,
    prepared: 0,
    succeeded: 0,
    unanswered: 100,
    owed: 100,
  });
  expect(EMPTY_SNAPSHOT.parts).toEqual({});
});
