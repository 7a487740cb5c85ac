import { expect, test } from 'vitest';
import { partsLegend, partsMap } from '../../../src/cli/watch/parts-map.ts';
import { bar, glyphsOf, lineText, span } from '../../../src/cli/watch/screen-line.ts';
import {
  FIRST_STATE,
  pressed,
  type ScreenState,
  type WatchKey,
} from '../../../src/cli/watch/screen-state.ts';
import { watchScreen } from '../../../src/cli/watch/watch-screen.ts';
import type { PartView, WatchView } from '../../../src/index.ts';
import { watchViewOf } from '../../../src/quarry/watch/watch-view.ts';
import { collectedEvent, DISPATCHED, jobEvent, seenRun } from '../../support/seen-run.ts';

const UTF8 = glyphsOf({ LANG: 'en_US.UTF-8' });
const ASCII = glyphsOf({ LC_ALL: 'C' });

const answers = ['r3', 'r2', 'r1'].map((recordId) => ({
  partId: 'p00001',
  recordId,
  asked: `Say ${recordId}`,
  text: `${recordId}\u001b[2J is said.`,
  errorCode: null,
}));
const REASON = { error_code: '400', rows: 7, example_record_id: 'r1', example_message: 'Too long.' };
const VIEW = watchViewOf(
  seenRun(
    [
      ...DISPATCHED,
      collectedEvent('p00001', { reasons: [REASON] }),
      jobEvent('p00002', { processedRecords: 250, minutes: 5 }),
      {
        kind: 'waiting',
        partId: 'p00003',
        error: 'JobQuotaExceededError',
        message: 'Too many jobs.',
        since: '2026-01-01T11:58:00.000Z',
      },
    ],
    { answers },
  ),
);

const shown = (
  state: ScreenState,
  { columns = 80, rows = 24, glyphs = UTF8, view = VIEW as WatchView } = {},
) => watchScreen(view, state, { size: { columns, rows, glyphs }, leaving: 'q leave' }).map(lineText);

const after = (...keys: WatchKey[]) => keys.reduce((state, key) => pressed(state, key, VIEW), FIRST_STATE);

test('the page of the run says all that is known, in as many lines as there are', () => {
  expect(shown(FIRST_STATE, { rows: 22 })).toEqual([
    'jokes  running',
    'us.anthropic.claude-haiku-4-5-20251001-v1:0 · bedrock · process 7 on host since 2026-01-01T11:00:00.000Z',
    'Prepare   ██████████████████████████████████ 100%  3,000 of 3,000 rows',
    'Run jobs  ██████████████░░░░░░░░░░░░░░░░░░░░  41%  1,250 of 3,000 records',
    'Parts     ●◐·',
    '          · 1 waiting  ◐ 1 running  ● 1 collected',
    'Rows      1,000 of 3,000 answered',
    'Time      24 min to 37 min left, by 1 finished job',
    'Dollars   $0.0605 so far, about $0.1815 expected, $1.50 with the longest answers',
    'Waiting   1 part since 2026-01-01 11:58Z: Too many jobs.',
    'Failed    7 rows, 400: Too long.',
    'Jobs: records done, a minute, age',
    '› p00002   running    █████░░░░░░░░░░░░░░░ 250 of 1,000  50/min  5 min',
    '  p00003   waiting    ░░░░░░░░░░░░░░░░░░░░ 0 of 1,000  Too many jobs.',
    '  p00001   collected  ████████████████████ 1,000 of 1,000',
    'Newest answers',
    '  r3  r3 [2J is said.',
    '  r2  r2 [2J is said.',
    '',
    '',
    '',
    '↑↓ part  enter open it  a answers  q leave',
  ]);
  for (const rows of [8, 12, 18, 60]) expect(shown(FIRST_STATE, { rows })).toHaveLength(rows);
  const size = { columns: 80, rows: 8, glyphs: UTF8 };
  const nothing = watchScreen(undefined, FIRST_STATE, { size, leaving: 'q leave' });
  expect(nothing.map(lineText)[0]).toBe('Looking …');
});

test('without UTF-8 it is made of ASCII', () => {
  const lines = shown(FIRST_STATE, { glyphs: ASCII });
  expect(lines.join('')).toMatch(/^[\x20-\x7e’]*$/);
  expect(lines[4]).toBe('Parts     or.');
});

test('a bar is full only once it is', () => {
  const text = (done: number, total: number | null) =>
    lineText(bar(done, total, { width: 4, glyphs: ASCII }));
  expect([text(0, 10), text(5, 10), text(999, 1_000), text(10, 10)]).toEqual([
    '----',
    '##--',
    '###-',
    '####',
  ]);
  expect([text(5, 0), text(5, null)]).toEqual(['----', '----']);
});

test('many parts are a heat map: a cell for several, by how many of them are done', () => {
  const part = (index: number, more: Partial<PartView> = {}): PartView => ({
    ...(VIEW.parts[2] as PartView),
    partId: `p${index}`,
    ...more,
  });
  const done = { rows: { total: 1, succeeded: 1, failed: 0, not_sent: 0 }, cell: 'collected' } as const;
  const parts = [
    ...Array.from({ length: 10 }, (_, index) => part(index, done)),
    ...Array.from({ length: 10 }, (_, index) => part(10 + index, index < 5 ? done : {})),
    ...Array.from({ length: 10 }, (_, index) => part(20 + index, index === 0 ? { cell: 'running' } : {})),
    ...Array.from({ length: 10 }, (_, index) => part(30 + index, index === 0 ? { cell: 'failed' } : {})),
  ];
  const mapped = { parts, unnamedParts: 60 };
  const map = partsMap(mapped, { width: 5, lines: 2, glyphs: UTF8, chosen: 'p12' });
  expect(map.map(lineText)).toEqual(['█▒░✗·', '·····']);
  expect(map[0]?.map(({ tone }) => tone)).toEqual(['good', 'chosen', 'busy', 'bad', 'dim']);
  expect(lineText(partsLegend(mapped, UTF8))).toBe('· 83 waiting  ◐ 1 running  ● 15 collected  ✗ 1 failed');
});

test('keys choose a part and open it, with its job and what is to be said of it', () => {
  expect(shown(after('open')).slice(0, 4)).toEqual([
    'Part p00002  running, 250 of 1,000 records, wave 1, attempt 1',
    'arn:aws:bedrock:us-east-1:1:model-invocation-job/p00002',
    'Job InProgress, 5 min old, 50 records a minute',
    '',
  ]);
  expect(shown(after('down', 'open')).slice(0, 2)).toEqual([
    'Part p00003  waiting, 0 of 1,000 records, wave 1, attempt 1',
    'Waits since 2026-01-01 11:58Z. Too many jobs. (JobQuotaExceededError)',
  ]);
  const collected = shown(after('down', 'down', 'down', 'down', 'open'), { columns: 40 });
  expect(collected.slice(0, 6)).toEqual(
    [
      'Part p00001  collected, 1,000 of 1,000 records, wave 1, attempt 1',
      'Its job ended as Completed.',
      '1,000 of 1,000 rows answered, 0 failed, ',
      '0 not sent; 0 to be sent again.',
      '400: 7, such as r1: Too long.',
      '',
    ].map((line) => line.trimEnd()),
  );
  expect(after('down', 'up')).toMatchObject({ page: 'run', partId: 'p00002' });
  expect(shown(after('open', 'back'))[0]).toBe('jokes  running');
});

test('keys choose an answer and open it, with what was asked; newer ones do not move it', () => {
  expect(shown(after('answers')).slice(0, 3)).toEqual([
    'Newest answers',
    '› r3  r3 [2J is said.',
    '  r2  r2 [2J is said.',
  ]);
  const second = after('answers', 'down', 'open');
  const newer = {
    ...VIEW,
    answers: [{ ...(answers[0] as (typeof answers)[number]), recordId: 'r4' }, ...answers],
  };
  expect(shown(second, { view: newer }).slice(0, 7)).toEqual([
    'r2 of part p00001',
    '',
    'Asked',
    'Say r2',
    '',
    'Answered',
    'r2\\u001b[2J is said.',
  ]);
  expect(pressed(second, 'back', VIEW).page).toBe('answers');
  expect(pressed(pressed(second, 'back', VIEW), 'back', VIEW).page).toBe('run');
  expect(pressed(second, 'down', VIEW).scroll).toBe(1);
  expect(pressed(second, 'open', VIEW)).toEqual(second);
  const nothing = { ...VIEW, answers: [], parts: [] };
  expect(shown(pressed(FIRST_STATE, 'answers', nothing), { view: nothing })[1]).toBe(
    'No job has written any yet.',
  );
  expect(pressed(FIRST_STATE, 'open', nothing)).toEqual(FIRST_STATE);
});

test('a page that is longer than the screen is scrolled, to its last line and no further', () => {
  const long = {
    ...VIEW,
    answers: [{ ...(answers[0] as (typeof answers)[number]), text: 'x'.repeat(1_000) }],
  };
  const open = pressed(pressed(FIRST_STATE, 'answers', long), 'open', long);
  const at = (scroll: number) => shown({ ...open, scroll }, { view: long, columns: 40, rows: 10 });
  expect(at(0)[0]).toBe('r3 of part p00001');
  expect(at(1)[1]).toBe('Asked');
  expect(at(500).slice(0, 9)).toEqual(new Array(9).fill('x'.repeat(40)));
});

test('text of others is one line, with nothing that a terminal obeys', () => {
  expect(span('a\nb\u001b]0;x\u0007\u202e')).toEqual({ text: 'a b\\u001b]0;x\\u0007\\u202e', tone: 'plain' });
});
