import { expect, test } from 'vitest';
import { pollPaceOf } from '../../../src/core/jobs/poll-pace.ts';

test.each([
  [300, 60, 600],
  [60, 60, 600],
  [3600, 60, 3600],
  // On one machine, where nothing is paid for a look.
  [1, 1, 10],
])(
  'a job that is usually looked at every %d seconds is so every %d at first and every %d in the end',
  (usual, young, old) => {
    expect(pollPaceOf(usual, Date.parse('2026-01-01T00:00:00Z'))).toEqual({
      young_seconds: young,
      young_until: '2026-01-01T01:00:00.000Z',
      poll_seconds: usual,
      poll_until: '2026-01-02T00:00:00.000Z',
      old_seconds: old,
    });
  },
);
