import { expect, test } from 'vitest';
import type { RunSummary } from '../../../src/core/run/summary.ts';
import {
  addSample,
  type PaceSample,
  partPerMinute,
  recordsPerMinute,
} from '../../../src/quarry/watch/pace.ts';
import { timeLeft } from '../../../src/quarry/watch/time-left.ts';
import { watchViewOf } from '../../../src/quarry/watch/watch-view.ts';
import {
  collectedEvent,
  DISPATCHED,
  jobEvent,
  planOf,
  SEEN_AT_MS,
  seenRun,
  wavePart,
} from '../../support/seen-run.ts';

const cellsOf = (...given: Parameters<typeof seenRun>) =>
  watchViewOf(seenRun(...given)).parts.map(({ partId, cell, state }) => [partId, cell, state]);

test('each part is one cell, by what its job is', () => {
  expect(cellsOf(DISPATCHED)).toEqual([
    ['p00001', 'waiting', 'waiting'],
    ['p00002', 'waiting', 'waiting'],
    ['p00003', 'waiting', 'waiting'],
  ]);
  const cellAt = (status: 'Submitted' | 'Validating' | 'Scheduled' | 'InProgress' | 'Completed') =>
    cellsOf([...DISPATCHED, jobEvent('p00001', { status })])[0]?.slice(1);
  expect(cellAt('Submitted')).toEqual(['validating', 'submitted']);
  expect(cellAt('Validating')).toEqual(['validating', 'validating']);
  expect(cellAt('Scheduled')).toEqual(['queued', 'queued']);
  expect(cellAt('InProgress')).toEqual(['running', 'running']);
  expect(cellAt('Completed')).toEqual(['running', 'collecting']);
  expect(cellsOf([...DISPATCHED, collectedEvent('p00001')])[0]?.slice(1)).toEqual(['collected', 'collected']);
  const rows = { total: 1_000, succeeded: 0, failed: 1_000, not_sent: 0 };
  expect(cellsOf([...DISPATCHED, collectedEvent('p00001', { rows })])[0]?.[1]).toBe('failed');
});

test('parts that are prepared for a later wave are there, and those without a name are counted', () => {
  const view = watchViewOf(
    seenRun([
      { kind: 'prepared', partId: 'p00001', rows: 1_000, records: 1_000 },
      { kind: 'prepared', partId: 'p00002', rows: 1_000, records: 990 },
      { kind: 'dispatched', wave: 1, parts: [wavePart('p00001')] },
    ]),
  );
  expect(view.parts.map(({ partId, state, wave }) => [partId, state, wave])).toEqual([
    ['p00001', 'waiting', 1],
    ['p00002', 'planned', null],
  ]);
  expect(view.unnamedParts).toBe(1);
  // Rows that are not sent are known once all parts are prepared.
  expect(view.records).toEqual({ done: 0, total: 3_000 });
});

test('phases are counted in their own units, and those before the present one are done', () => {
  const at = (...given: Parameters<typeof seenRun>) =>
    watchViewOf(seenRun(...given)).phases.map(({ phase, state, done, total }) => [phase, state, done, total]);
  expect(at([], { snapshot: { ...seenRun([]).snapshot, plan: null } })[0]).toEqual(['plan', 'now', 0, null]);
  expect(at([{ kind: 'prepared', partId: 'p00001', rows: 1_000, records: 1_000 }])).toEqual([
    ['plan', 'done', 0, null],
    ['prepare', 'now', 1_000, 3_000],
    ['run', 'todo', 0, 3_000],
    ['merge', 'todo', 0, null],
    ['summarize', 'todo', 0, null],
  ]);
  const running = [...DISPATCHED, collectedEvent('p00001'), jobEvent('p00002', { processedRecords: 250 })];
  expect(at(running)[2]).toEqual(['run', 'now', 1_250, 3_000]);
  expect(at(running, { merging: { done: 1, total: 3 } }).slice(2)).toEqual([
    ['run', 'done', 1_250, 3_000],
    ['merge', 'now', 1, 3],
    ['summarize', 'todo', 0, null],
  ]);
  expect(at(running, { merging: { done: 3, total: 3 } })[4]).toEqual(['summarize', 'now', 0, null]);
  const uploading = seenRun([{ kind: 'uploaded', path: 'a', doneBytes: 5, totalBytes: 10 }]);
  expect(watchViewOf(uploading).phases[0]).toMatchObject({ done: 5, total: 10, unit: 'bytes' });
});

test('a job has its age and its rate: lately, or since it was submitted', () => {
  const events = [...DISPATCHED, jobEvent('p00001', { processedRecords: 500, minutes: 10 })];
  const [first] = watchViewOf(seenRun(events)).parts;
  expect(first).toMatchObject({ done: 500, job: { ageMs: 600_000, perMinute: 50, status: 'InProgress' } });
  const samples = [
    { atMs: SEEN_AT_MS - 60_000, done: 300, ofParts: { p00001: 300 } },
    { atMs: SEEN_AT_MS, done: 500, ofParts: { p00001: 500 } },
  ];
  const lately = watchViewOf(seenRun(events, { samples }));
  expect(lately.parts[0]?.job?.perMinute).toBe(200);
  expect(lately.recordsPerMinute).toBe(200);
});

test('a part says why it waits and since when: what it was told, or that its job has not begun', () => {
  const told = watchViewOf(
    seenRun([
      ...DISPATCHED,
      {
        kind: 'waiting',
        partId: 'p00002',
        error: 'JobQuotaExceededError',
        message: 'Too many jobs.',
        since: '2026-01-01T11:59:00.000Z',
      },
      {
        kind: 'waiting',
        partId: 'p00003',
        error: 'JobQuotaExceededError',
        message: 'Too many jobs.',
        since: '2026-01-01T11:58:00.000Z',
      },
      jobEvent('p00001', { status: 'Scheduled', minutes: 90 }),
    ]),
  );
  expect(told.waits).toEqual([
    {
      error: 'JobQuotaExceededError',
      message: 'Too many jobs.',
      since: '2026-01-01T11:58:00.000Z',
      partIds: ['p00002', 'p00003'],
    },
    {
      error: 'Queued',
      message: 'The job is queued at Bedrock, until there is capacity.',
      since: '2026-01-01T10:30:00.000Z',
      partIds: ['p00001'],
    },
  ]);
});

test('the time left is a range, by the jobs that have ended, those that run, or a usual one', () => {
  const work = { finishedPaces: [], runningPaces: [], open: [1_000], later: [], owed: 0, jobsInFlight: 2 };
  expect(timeLeft({ ...work, finishedPaces: [2_000, 4_000], runningPaces: [5_000, 1_000] })).toEqual({
    lowSeconds: 900,
    highSeconds: 3_600,
    basis: 'finished_jobs',
    jobs: 2,
  });
  // Of one pace it is not known how far others lie from it.
  expect(timeLeft({ ...work, runningPaces: [1_000] })).toEqual({
    lowSeconds: 2_880,
    highSeconds: 4_500,
    basis: 'running_jobs',
    jobs: 1,
  });
  expect(timeLeft(work)).toMatchObject({ basis: 'usual_pace', jobs: 0 });
  // Two jobs at once, and what is owed comes after them; the fastest way, nothing more is owed than is known.
  const more = { ...work, finishedPaces: [1_000, 1_600], later: [1_000, 1_000, 1_000], owed: 400 };
  expect(timeLeft(more)).toMatchObject({ lowSeconds: 3 * 2_250, highSeconds: 3 * 3_600 + 720 });
});

test('what is left is nothing where nobody is working on the run, or where it has ended', () => {
  const events = [...DISPATCHED, collectedEvent('p00001', { minutes: 30 })];
  expect(watchViewOf(seenRun(events)).left).toEqual({
    lowSeconds: 1_440,
    highSeconds: 2_250,
    basis: 'finished_jobs',
    jobs: 1,
  });
  expect(watchViewOf(seenRun(events, { worker: null, condition: 'stopped' })).left).toBe(null);
});

test('a rate is taken over ten minutes; what stands still for a minute has none, and a glance tells nothing', () => {
  const at = (seconds: number, done: number): PaceSample => ({
    atMs: seconds * 1_000,
    done,
    ofParts: { p1: done },
  });
  expect(recordsPerMinute([])).toBe(null);
  expect(recordsPerMinute([at(0, 0), at(1, 50)])).toBe(null);
  expect(recordsPerMinute([at(0, 0), at(30, 50)])).toBe(100);
  expect(recordsPerMinute([at(0, 50), at(30, 50)])).toBe(null);
  expect(recordsPerMinute([at(0, 50), at(60, 50)])).toBe(0);
  expect(partPerMinute([at(0, 0), at(60, 7)], 'p1')).toBe(7);
  expect(partPerMinute([at(0, 0), at(60, 7)], 'p2')).toBe(null);
  let samples: PaceSample[] = [];
  for (let second = 0; second < 5_000; second += 1) samples = addSample(samples, at(second, second * 2));
  expect(samples.length).toBeLessThan(130);
  expect(recordsPerMinute(samples)).toBeCloseTo(120, 5);
  expect(samples[0]?.atMs).toBeGreaterThanOrEqual(4_399_000);
});

test('dollars are those of what is collected, of the estimate and of the cap; nothing is called paid that is not', () => {
  const events = [...DISPATCHED, collectedEvent('p00001')];
  const plan = planOf({ input: { max_cost_usd: 5 } });
  const capped = seenRun(events);
  const view = watchViewOf({ ...capped, snapshot: { ...capped.snapshot, plan } });
  expect(view.dollars).toEqual({
    isPaid: true,
    soFar: expect.closeTo(0.0605, 4),
    expected: expect.closeTo(0.1815, 4),
    most: 1.5,
    cap: 5,
  });
  expect(view.isSimulated).toBe(false);
  const local = watchViewOf(seenRun(events, { target: 'local' }));
  expect([local.dollars.isPaid, local.isSimulated]).toEqual([false, true]);
  const served = planOf({ model_server: { url: 'http://localhost', model: null } });
  const own = seenRun(events, { target: 'local' });
  expect(watchViewOf({ ...own, snapshot: { ...own.snapshot, plan: served } }).isSimulated).toBe(false);
});

test('a run that has ended shows its summary, and nothing waits any more', () => {
  const summary = {
    status: 'partly_succeeded',
    rows: { total: 3_000, succeeded: 2_990, failed: 8, not_sent: 2 },
    tokens: { input: 1, output: 2 },
    cost_usd: 0.5,
    reasons: [{ error_code: '400', rows: 8, example_record_id: 'r1', example_message: 'Bad.' }],
    simulated: false,
    billed: true,
  } as unknown as RunSummary;
  const view = watchViewOf(
    seenRun([...DISPATCHED, jobEvent('p00001', { status: 'Scheduled' })], {
      summary,
      condition: 'partly_succeeded',
      worker: null,
    }),
  );
  expect(view).toMatchObject({
    hasEnded: true,
    waits: [],
    left: null,
    rows: { total: 3_000, succeeded: 2_990, unanswered: 10, owed: 0 },
    dollars: { soFar: 0.5 },
    failures: [{ error_code: '400' }],
  });
  expect(view.phases.every(({ state }) => state === 'done')).toBe(true);
});
