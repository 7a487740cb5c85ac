import { expect, test } from 'vitest';
import type { PartSource } from '../../../src/core/plan/part.ts';
import type { PartLedger } from '../../../src/core/run/ledger.ts';
import { runUriOf } from '../../../src/runs/run-layout.ts';
import { planMerge } from '../../../src/steps/waves/plan-merge.ts';
import type { Turn } from '../../../src/steps/waves/turns.ts';

/** A part's turn; of a repair part, with so many records of each source. */
function turn(part_id: string, sources: Record<string, number> = {}, elsewhere = 0): Turn {
  const list = Object.entries(sources).map(
    ([source, owed_count]): PartSource => ({ part_id: source, owed_from: 0, owed_count }),
  );
  return {
    part: {
      run_uri: runUriOf('b', 'r'),
      part_id,
      variant: 0,
      wave: 1,
      attempt: 1,
      mode: 'batch',
      records: 100,
      bytes: 1,
      run_max_usd: null,
      sources: list,
    },
    ledger: {
      part_id,
      owed: { records: 0, bytes: 0 },
      ...(elsewhere > 0 ? { answered_elsewhere: elsewhere } : {}),
    } as PartLedger,
  };
}

test('each part is told which rows of which repair parts may be its own, through all waves', () => {
  const { parts } = planMerge([
    turn('p1'),
    turn('p2'),
    turn('p3', {}, 5),
    turn('p4'),
    turn('w2p1', { p1: 10, p2: 20 }),
    turn('w2p2', { p2: 3 }),
    turn('w3p1', { w2p1: 4, w2p2: 1 }),
  ]);
  expect(parts).toEqual([
    {
      part_id: 'p1',
      variant: 0,
      elsewhere: false,
      repairs: [
        { part_id: 'w2p1', first_row: 0, rows: 10 },
        { part_id: 'w3p1', first_row: 0, rows: 4 },
      ],
    },
    {
      part_id: 'p2',
      variant: 0,
      elsewhere: false,
      repairs: [
        { part_id: 'w2p1', first_row: 10, rows: 20 },
        { part_id: 'w2p2', first_row: 0, rows: 3 },
        { part_id: 'w3p1', first_row: 0, rows: 5 },
      ],
    },
    { part_id: 'p3', variant: 0, elsewhere: true, repairs: [] },
  ]);
});
