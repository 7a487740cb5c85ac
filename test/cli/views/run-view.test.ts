import { expect, test } from 'vitest';
import { advanceView, emptyView, logLine, standingLine, viewLines } from '../../../src/cli/views/run-view.ts';
import type { WavePart } from '../../../src/core/plan/part.ts';
import type { RunPlan } from '../../../src/core/plan/run-plan.ts';
import type { RunEvent } from '../../../src/core/run/run-event.ts';

const variants = [{}] as unknown as RunPlan['variants'];
const plan = { run_id: 'jokes-1', selected_rows: 1000, variants, parts: 2, notes: [] as string[] } as RunPlan;
const part = (part_id: string): WavePart => ({
  run_uri: 's3://bucket/runs/jokes-1',
  part_id,
  variant: 0,
  wave: 1,
  attempt: 1,
  mode: 'batch',
  records: 500,
  sources: [],
  run_max_usd: null,
  bytes: 1,
});
const story: RunEvent[] = [
  { kind: 'state_entered', state: 'Plan' },
  { kind: 'planned', plan, isPaid: false },
  { kind: 'state_entered', state: 'Prepare' },
  { kind: 'prepared', partId: 'p00001', rows: 500, records: 500 },
  { kind: 'prepared', partId: 'p00002', rows: 500, records: 500 },
  { kind: 'dispatched', wave: 1, parts: [part('p00001'), part('p00002')] },
  { kind: 'state_entered', state: 'Run jobs' },
  {
    kind: 'job',
    partId: 'p00001',
    jobArn: 'a/1',
    status: 'InProgress',
    submittedAt: null,
    totalRecords: 500,
    processedRecords: 120,
  },
  {
    kind: 'job',
    partId: 'p00002',
    jobArn: 'a/2',
    status: 'Completed',
    submittedAt: null,
    totalRecords: 500,
    processedRecords: 500,
  },
  {
    kind: 'collected',
    partId: 'p00002',
    rows: { total: 500, succeeded: 498, failed: 2, not_sent: 0 },
    tokens: { input: 5000, output: 9000 },
    owed: 2,
    reasons: [],
    stopReasons: [],
    jobStatus: 'Completed',
    jobSubmittedAt: null,
    jobEndedAt: null,
  },
  { kind: 'state_entered', state: 'Summarize' },
];

test('the live block has a line for every phase that has begun', () => {
  let view = emptyView(0);
  expect(viewLines(view, 0)).toEqual(['Plan        reading the dataset', 'Elapsed     0.0 s']);
  for (const progress of story) view = advanceView(view, progress);
  expect(viewLines(view, 61_000)).toEqual([
    'Plan        run jokes-1: 1,000 rows in 2 parts',
    'Prepare     1,000 rows of 1,000, 2 parts',
    'Run jobs    wave 1: 1 InProgress, 1 Completed; 620 records of 1,000 done',
    'Collect     1 of 2 parts, 500 rows',
    'Summarize   counting the output',
    'Elapsed     1 min 1 s',
  ]);
});

test('a resumed run says that preparing was done before', () => {
  let view = emptyView(0);
  view = advanceView(view, { kind: 'planned', plan, isPaid: false });
  view = advanceView(view, { kind: 'state_entered', state: 'Run jobs' });
  expect(viewLines(view, 0)[1]).toBe('Prepare     already done');
});

test('the log has a line for what is worth one', () => {
  let view = emptyView(0);
  const lines = story.flatMap((progress) => {
    view = advanceView(view, progress);
    return logLine(view, progress) ?? [];
  });
  expect(lines).toEqual([
    'Plan: run jokes-1, 1,000 rows in 2 parts',
    'Prepare',
    'Prepared p00001: 500 rows, 500 records',
    'Prepared p00002: 500 rows, 500 records',
    'Wave 1: 2 parts, 1,000 records',
    'Job 2: Completed',
    'Collected p00002: 498 rows answered, 2 failed, 0 not sent',
    'Summarize',
  ]);
});

test('what the plan has a user know stands under it, in the live block and in the log', () => {
  let view = emptyView(0);
  const noted: RunEvent = { kind: 'planned', plan: { ...plan, notes: ['Mind the gap.'] }, isPaid: false };
  view = advanceView(view, noted);
  expect(viewLines(view, 0)[1]).toBe('Note        Mind the gap.');
  expect(logLine(view, noted)).toBe('Plan: run jokes-1, 1,000 rows in 2 parts\nNote: Mind the gap.');
});

test('a part that is run on demand shows how many records are done, how many failed, and at what rate', () => {
  const onDemand: RunEvent = {
    kind: 'on_demand',
    partId: 'p00001',
    records: 1200,
    answered: 310,
    failed: 4,
    perSecond: 2.54,
  };
  const text = '310 of 1,200 records answered, 4 failed, 2.5 a second';
  expect(logLine(emptyView(0), onDemand)).toBe(`On demand p00001: ${text}`);
  let view = emptyView(0);
  for (const progress of [...story.slice(0, 6), onDemand]) view = advanceView(view, progress);
  expect(viewLines(view, 0).join('\n')).toContain(text);
});

test('a job that waits in Bedrock’s queue for long is told, by the block and by the log', () => {
  const since = '2026-01-01T12:00:00.000Z';
  const queued = story
    .slice(
      0,
      story.findIndex(({ kind }) => kind === 'job'),
    )
    .concat({
      kind: 'job',
      partId: 'p00001',
      jobArn: 'a/1',
      status: 'Scheduled',
      submittedAt: since,
      totalRecords: 500,
      processedRecords: 0,
    })
    .reduce(advanceView, emptyView(0));
  const at = (seconds: number) => Date.parse(since) + seconds * 1_000;
  const told =
    '1 part, p00001: The job is queued at Bedrock, until there is capacity. (since 2026-01-01T12:00:00.000Z)';
  expect(viewLines(queued, at(61))).toContain(`Waiting     ${told}`);
  expect(viewLines(queued, at(30)).join('')).not.toContain('Waiting');
  expect(standingLine(queued, at(61))).toContain(`; waiting: ${told}`);
  expect(standingLine(queued, at(30))).not.toContain('waiting');
});
