import { expect, test } from 'vitest';
import { createWatchTeller, endOf } from '../../../src/quarry/watch/watch-changes.ts';
import { WatchEvent } from '../../../src/quarry/watch/watch-event.ts';
import { type SeenRun, watchViewOf } from '../../../src/quarry/watch/watch-view.ts';
import { collectedEvent, DISPATCHED, jobEvent, SEEN_AT_MS, seenRun } from '../../support/seen-run.ts';

const viewAt = (seconds: number, events: Parameters<typeof seenRun>[0], more: Partial<SeenRun> = {}) =>
  watchViewOf(seenRun(events, { atMs: SEEN_AT_MS + seconds * 1_000, ...more }));

/** Events, each of which must be what the documents say. */
const kindsOf = (events: readonly WatchEvent[]) =>
  events.map((event) => {
    expect(WatchEvent.parse(event)).toEqual(event);
    return event.event === 'part' ? `${event.part_id} ${event.state} ${event.done}` : event.event;
  });

test('the first view is told whole, and of the next ones what is new in them', () => {
  const tell = createWatchTeller(5_000);
  expect(kindsOf(tell(viewAt(0, DISPATCHED)))).toEqual([
    'run',
    'p00001 waiting 0',
    'p00002 waiting 0',
    'p00003 waiting 0',
    'progress',
  ]);
  expect(tell(viewAt(1, DISPATCHED))).toEqual([]);
  const running = [...DISPATCHED, jobEvent('p00001')];
  expect(kindsOf(tell(viewAt(2, running)))).toEqual(['p00001 running 0']);
});

test('numbers that always grow are told now and then, and none is forgotten', () => {
  const tell = createWatchTeller(5_000);
  const at = (seconds: number, processedRecords: number) =>
    viewAt(seconds, [...DISPATCHED, jobEvent('p00001', { processedRecords })]);
  tell(at(0, 0));
  expect(tell(at(2, 10))).toEqual([]);
  expect(tell(at(4, 20))).toEqual([]);
  expect(kindsOf(tell(at(5, 20)))).toEqual(['p00001 running 20', 'progress']);
  expect(tell(at(12, 20))).toEqual([]);
});

test('failures, answers and notices are told as they come', () => {
  const tell = createWatchTeller(5_000);
  tell(viewAt(0, DISPATCHED));
  const reason = { error_code: '400', rows: 2, example_record_id: 'r1', example_message: 'Bad.' };
  const answer = { partId: 'p00001', recordId: 'r9', asked: 'Say 9', text: 'Nine.', errorCode: null };
  const failed = { ...answer, recordId: 'r8', text: 'Too long.', errorCode: '400' };
  const events = tell(
    viewAt(1, [...DISPATCHED, collectedEvent('p00001', { reasons: [reason] })], {
      answers: [answer, failed],
      notices: ['The disk is full.'],
    }),
  );
  expect(kindsOf(events)).toEqual(['notice', 'p00001 collected 1000', 'failure', 'answer', 'answer']);
  expect(events.slice(-2)).toMatchObject([
    { record_id: 'r8', answer: null, error_code: '400', error_message: 'Too long.', simulated: false },
    { record_id: 'r9', answer: 'Nine.', error_code: null, error_message: null, asked: 'Say 9' },
  ]);
  const same = viewAt(2, [...DISPATCHED, collectedEvent('p00001', { reasons: [reason] })], {
    answers: [answer, failed],
    notices: ['The disk is full.'],
  });
  expect(tell(same)).toEqual([]);
});

test('a run that changes hands is told again, and the last event says how it ended', () => {
  const tell = createWatchTeller(5_000);
  tell(viewAt(0, DISPATCHED));
  const stopped = viewAt(1, DISPATCHED, { condition: 'stopped', worker: null });
  expect(tell(stopped)).toMatchObject([{ event: 'run', status: 'stopped', worker: null }]);
  const end = endOf(stopped);
  expect(WatchEvent.parse(end)).toEqual(end);
  expect(end).toMatchObject({ event: 'end', status: 'stopped', rows: { total: 3_000, succeeded: 0 } });
});
