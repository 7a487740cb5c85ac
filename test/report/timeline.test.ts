import { expect, test } from 'vitest';
import type { WavePart } from '../../src/core/plan/part.ts';
import type { PartLedger } from '../../src/core/run/ledger.ts';
import { progressOf, type ReportTurn, timelineOf } from '../../src/report/timeline.ts';

const START = Date.parse('2026-01-01T00:00:00Z');

/** A job that ran from hour to hour. */
function turn(
  partId: string,
  [from, to]: [number, number],
  more: { sources?: WavePart['sources'] } = {},
): ReportTurn {
  const at = (hour: number) => new Date(START + hour * 3_600_000).toISOString();
  return {
    part: { part_id: partId, wave: 1, records: 100, sources: [], ...more } as unknown as WavePart,
    ledger: {
      part_id: partId,
      rows: { total: 100, succeeded: 90, failed: 10, not_sent: 0 },
      job_status: 'Completed',
      job_message: null,
      job_submitted_at: at(from),
      job_ended_at: at(to),
    } as unknown as PartLedger,
  };
}

test('a job takes the first slot that is free when it begins, and idle slots count in the share', () => {
  const again = { part_id: 'a', owed_from: 0, owed_count: 10 };
  const turns = [
    turn('a', [0, 2]),
    turn('b', [0, 1]),
    turn('c', [1, 2]),
    turn('r', [2, 4], { sources: [again] }),
  ];
  const { jobs, busy_share, left_out } = timelineOf(turns, 2);
  expect(jobs.map(({ part_id, slot, is_repair }) => [part_id, slot, is_repair])).toEqual([
    ['a', 1, false],
    ['b', 2, false],
    ['c', 2, false],
    ['r', 1, true],
  ]);
  expect(busy_share).toBe(6 / 8);
  expect(left_out).toBe(0);
});

test('jobs of which it is not known when they ran are left out, and none are no share', () => {
  const unknown = turn('a', [0, 1]);
  unknown.ledger.job_submitted_at = null;
  expect(timelineOf([unknown], 20)).toEqual({ slots: 20, jobs: [], left_out: 0, busy_share: null });
  expect(progressOf([unknown], 90)).toEqual([]);
});

test('a timeline of thousands of jobs has the first of them, and says how many are not there', () => {
  const turns = Array.from({ length: 2_000 }, (_, index) => turn(`p${index}`, [index, index + 1]));
  const { jobs, left_out, busy_share } = timelineOf(turns, 1);
  expect([jobs.length, left_out, busy_share]).toEqual([500, 1_500, 1]);
  const progress = progressOf(turns, 180_000);
  expect(progress.length).toBeLessThan(600);
  expect(progress.at(-1)?.answered).toBe(180_000);
});

test('answers that were asked for twice do not make more answers than rows', () => {
  expect(progressOf([turn('a', [0, 1]), turn('r', [1, 2])], 100).map(({ answered }) => answered)).toEqual([
    0, 90, 100,
  ]);
});
