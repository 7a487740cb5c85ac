import { expect, test } from 'vitest';
import { spentUsd } from '../../../src/steps/waves/run-cost.ts';
import type { Turn } from '../../../src/steps/waves/turns.ts';

const price = {
  batch: { input: 1, output: 2 },
  on_demand: { input: 2, output: 4 },
  isGiven: false,
};

function turn(
  mode: 'batch' | 'on_demand',
  succeeded: number,
  tokens: { input: number; output: number },
): Turn {
  return { part: { mode, records: 10 }, ledger: { rows: { succeeded }, tokens } } as unknown as Turn;
}

test('what was spent goes by the tokens of the answers, on demand at that price', () => {
  const turns = [
    turn('batch', 10, { input: 1_000_000, output: 500_000 }),
    turn('on_demand', 10, { input: 1_000_000, output: 0 }),
  ];
  expect(spentUsd(turns, price)).toBe(4);
  expect(spentUsd(turns, undefined)).toBeNull();
});

test('where there are answers and no tokens of them, nobody knows what was spent', () => {
  expect(spentUsd([turn('batch', 10, { input: 0, output: 0 })], price)).toBeNull();
  expect(spentUsd([turn('batch', 0, { input: 0, output: 0 })], price)).toBe(0);
  expect(spentUsd([], price)).toBe(0);
});
