import { expect, test } from 'vitest';
import { addStopReasons, countFlaws, countUnwanted, failOnOf } from '../../../src/core/jobs/answer-flaws.ts';

const counts = (stop_reason: string | null, rows: number, empty = 0) => ({ stop_reason, rows, empty });

test('an answer is cut off, refused or empty by its stop reason and text, and counted once', () => {
  const flaws = countFlaws([
    counts('end_turn', 90, 2),
    counts('max_tokens', 5, 1),
    counts('LENGTH', 1),
    counts('model_context_window_exceeded', 2),
    counts('refusal', 3, 3),
    counts('Guardrail_Intervened', 1),
    counts(null, 4, 1),
  ]);
  expect(flaws).toEqual({ truncated: 8, refused: 4, empty: 3 });
});

test('the counts of parts are added, the most frequent first', () => {
  const parts = [counts('a', 1), counts(null, 2, 1), counts('b', 2), counts('a', 3, 1)];
  expect(addStopReasons(parts)).toEqual([counts('a', 4, 1), counts(null, 2, 1), counts('b', 2)]);
  expect(addStopReasons(parts.toReversed())).toEqual([counts('a', 4, 1), counts(null, 2, 1), counts('b', 2)]);
});

test('rows without an answer are unwanted, and those with a flaw that counts as a failure', () => {
  const rows = { total: 10, succeeded: 9 };
  const flawed = { truncated: 2, refused: 3, empty: 0 };
  expect(countUnwanted({ rows, flawed }, [])).toBe(1);
  expect(countUnwanted({ rows, flawed }, ['truncated', 'truncated', 'empty'])).toBe(3);
  expect(countUnwanted({ rows, flawed }, ['truncated', 'refused', 'empty'])).toBe(6);
  // A summary of version 0.1.0 does not tell.
  expect(countUnwanted({ rows }, ['truncated'])).toBe(1);
});

test('a run input names the flaws that count, or none', () => {
  expect(failOnOf({ fail_on: ['refused'] })).toEqual(['refused']);
  expect(failOnOf({})).toEqual([]);
});
