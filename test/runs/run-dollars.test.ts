import { expect, test } from 'vitest';
import type { RunEvent } from '../../src/core/run/run-event.ts';
import { runDollars } from '../../src/runs/run-dollars.ts';
import { reduceEvents } from '../../src/runs/run-snapshot.ts';
import { planOf, wavePart } from '../support/seen-run.ts';

const price = { input_per_million: 1, output_per_million: 10 };
const prices = { 'us.anthropic.claude-haiku-4-5-20251001-v1:0': price };
const plan = planOf({
  input: { prices, max_cost_usd: 5 },
  estimate: { max_usd: 3, expected: { output_tokens: 1, usd: 0.7 } },
});
const collected = (partId: string): RunEvent => ({
  kind: 'collected',
  partId,
  rows: { total: 1000, succeeded: 1000, failed: 0, not_sent: 0, reused: 100 },
  tokens: { input: 100_000, output: 20_000 },
  owed: 0,
  reasons: [],
  stopReasons: [],
  jobStatus: 'Completed',
  jobSubmittedAt: null,
  jobEndedAt: null,
});
const planned: RunEvent[] = [
  { kind: 'planned', plan, isPaid: true },
  { kind: 'dispatched', wave: 1, parts: [wavePart('p00001'), wavePart('p00002')] },
];

test('what is expected of a run is by the plan until parts are collected, then by what they took', () => {
  const common = { billed: true, most: 3, cap: 5 };
  expect(runDollars(reduceEvents(planned), true)).toEqual({ ...common, so_far: 0, expected: 0.7 });
  const one = runDollars(reduceEvents([...planned, collected('p00001')]), true);
  expect(one.so_far).toBeCloseTo(0.3, 9);
  expect(one.expected).toBeCloseTo(0.9, 9);
  // Records that are sent again cost as much as the others did.
  const source = { part_id: 'p00001', owed_from: 0, owed_count: 500 };
  const again = wavePart('w2p00001', { wave: 2, records: 500, sources: [source] });
  const repaired = reduceEvents([
    ...planned,
    collected('p00001'),
    { kind: 'dispatched', wave: 2, parts: [again] },
  ]);
  expect(runDollars(repaired, true).expected).toBeCloseTo(1.05, 9);
});

test('where nothing is planned, or no price is known, nothing is said of dollars', () => {
  const nothing = { so_far: null, expected: null, most: null, cap: null };
  expect(runDollars(reduceEvents([]), false)).toEqual({ ...nothing, billed: false });
  const unpriced = planOf({ variants: [{ model: { model_id: 'nobody.none-v1:0' } }] });
  const run = reduceEvents([{ kind: 'planned', plan: unpriced, isPaid: true }]);
  expect(runDollars(run, true)).toEqual({ ...nothing, billed: true, most: 1.5 });
});
