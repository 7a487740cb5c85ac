import { expect, test } from 'vitest';
import { leftText, rateText, watchLines } from '../../../src/cli/views/watch-lines.ts';
import type { WatchEvent } from '../../../src/index.ts';
import { createWatchTeller } from '../../../src/quarry/watch/watch-changes.ts';
import { watchViewOf } from '../../../src/quarry/watch/watch-view.ts';
import { DISPATCHED, jobEvent, SEEN_AT_MS, seenRun, wavePart } from '../../support/seen-run.ts';

const head = { at: '2026-01-01T12:00:00.000Z', run_id: 'jokes' };

test('each line has its time, and is one line whatever it quotes', () => {
  const events: WatchEvent[] = [
    { event: 'notice', ...head, message: 'The disk\nis \u001b[31mfull\u202e.' },
    {
      event: 'failure',
      ...head,
      error_code: '400',
      rows: 2,
      example_record_id: 'r1',
      example_message: 'No.',
    },
  ];
  expect(watchLines(events)).toEqual([
    '2026-01-01T12:00:00Z The disk is \\u001b[31mfull\\u202e.',
    '2026-01-01T12:00:00Z 400: 2 rows, such as r1: No.',
  ]);
  expect(watchLines([])).toEqual([]);
});

test('a few parts are told one by one, many are counted, and of answers the newest is told', () => {
  const tellers = [createWatchTeller(0), createWatchTeller(0)];
  const few = watchLines(tellers[0]?.(watchViewOf(seenRun([...DISPATCHED, jobEvent('p00001')]))) ?? []);
  expect(few).toContain('2026-01-01T12:00:00Z Part p00001: running, 0 of 1,000 records');
  const ids = Array.from({ length: 20 }, (_, index) => `p${index}`);
  const dispatched = { kind: 'dispatched', wave: 1, parts: ids.map((id) => wavePart(id)) } as const;
  const answers = ['r3', 'r2'].map((recordId) => ({
    partId: 'p1',
    recordId,
    asked: 'Say',
    text: `${recordId} \u001b[2J said`,
    errorCode: null,
  }));
  const view = watchViewOf(seenRun([dispatched, jobEvent('p1')], { answers }));
  const many = watchLines(tellers[1]?.(view) ?? []);
  expect(many).toContain('2026-01-01T12:00:00Z Parts: 19 waiting, 1 running');
  expect(many.filter((line) => line.includes('Newest answer'))).toEqual([
    '2026-01-01T12:00:00Z Newest answer, r3: r3  [2J said',
  ]);
});

test('a wait is told with its reason and since when; one that every job has, once it is long', () => {
  const linesAfter = (minutes: number) => {
    const events = [
      ...DISPATCHED,
      jobEvent('p00001', { status: 'Scheduled', minutes }),
      {
        kind: 'waiting',
        partId: 'p00002',
        error: 'ThrottledError',
        message: 'Rate exceeded.',
        since: '2026-01-01T11:00:00.000Z',
      } as const,
    ];
    return watchLines(createWatchTeller(0)(watchViewOf(seenRun(events, { atMs: SEEN_AT_MS })))).filter(
      (line) => line.includes('Waiting'),
    );
  };
  const told =
    '2026-01-01T12:00:00Z Waiting, 1 part, p00002: Rate exceeded. (since 2026-01-01T11:00:00.000Z)';
  expect(linesAfter(0.5)).toEqual([told]);
  expect(linesAfter(2)).toEqual([
    '2026-01-01T12:00:00Z Waiting, 1 part, p00001: The job is queued at Bedrock, until there is capacity. (since 2026-01-01T11:58:00.000Z)',
    told,
  ]);
});

test('times that are left and rates are words', () => {
  const left = { lowSeconds: 30, highSeconds: 7_620, basis: 'finished_jobs', jobs: 3 } as const;
  expect(leftText(left)).toBe('30 s to 2 h 7 min left, by 3 finished jobs');
  expect(leftText({ ...left, highSeconds: 30, basis: 'running_jobs', jobs: 1 })).toBe(
    '30 s left, by 1 running job',
  );
  expect(leftText({ ...left, lowSeconds: 120, basis: 'usual_pace' })).toBe(
    '2 min to 2 h 7 min left, by a usual job’s pace',
  );
  expect([rateText(1234.4), rateText(3.21)]).toEqual(['1,234 records a minute', '3.2 records a minute']);
});
