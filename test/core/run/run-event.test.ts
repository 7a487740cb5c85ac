import { expect, test } from 'vitest';
import type { PartLedger } from '../../../src/core/run/ledger.ts';
import { collectedEvent } from '../../../src/core/run/run-event.ts';

const LEDGER = {
  part_id: 'p00001',
  rows: { total: 2, succeeded: 1, failed: 1, not_sent: 0 },
  tokens: { input: 5, output: 7 },
  owed: { records: 1 },
  reasons: [],
  job_status: 'Completed',
} as unknown as PartLedger;

test('the event of a part tells what its ledger tells, and null where an earlier version told nothing', () => {
  expect(collectedEvent(LEDGER)).toEqual({
    kind: 'collected',
    partId: 'p00001',
    rows: LEDGER.rows,
    tokens: LEDGER.tokens,
    owed: 1,
    reasons: [],
    stopReasons: [],
    jobStatus: 'Completed',
    jobSubmittedAt: null,
    jobEndedAt: null,
  });
  const told = {
    ...LEDGER,
    stop_reasons: [{ stop_reason: 'end_turn', rows: 1, empty: 0 }],
    job_submitted_at: '2026-01-01T00:00:00Z',
    job_ended_at: '2026-01-01T01:00:00Z',
  };
  expect(collectedEvent(told)).toMatchObject({
    stopReasons: told.stop_reasons,
    jobSubmittedAt: '2026-01-01T00:00:00Z',
    jobEndedAt: '2026-01-01T01:00:00Z',
  });
});
