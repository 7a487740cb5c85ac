import { expect, test } from 'vitest';
import { accountOf, spentUsd } from '../../../src/steps/waves/run-cost.ts';
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
  return {
    part: { variant: 0, mode, records: 10 },
    ledger: { rows: { succeeded }, tokens },
  } as unknown as Turn;
}

test('what was spent goes by the tokens of the answers, on demand at that price', () => {
  const turns = [
    turn('batch', 10, { input: 1_000_000, output: 500_000 }),
    turn('on_demand', 10, { input: 1_000_000, output: 0 }),
  ];
  expect(spentUsd(turns, [price])).toBe(4);
  expect(spentUsd(turns, undefined)).toBeNull();
});

test('where there are answers and no tokens of them, nobody knows what was spent', () => {
  expect(spentUsd([turn('batch', 10, { input: 0, output: 0 })], [price])).toBeNull();
  expect(spentUsd([turn('batch', 0, { input: 0, output: 0 })], [price])).toBe(0);
  expect(spentUsd([], [price])).toBe(0);
});

test('an account has a line for each wave, model and way of sending, and none for what was not sent', () => {
  const sent = (wave: number, variant: number, mode: string, ledger: object) =>
    ({
      part: { wave, variant, mode, records: 10 },
      ledger: { rows: { succeeded: 10 }, tokens: { input: 1e6, output: 0 }, job_arn: 'arn', ...ledger },
    }) as unknown as Turn;
  const models = [
    { modelId: 'a', price },
    { modelId: 'b', price: undefined },
  ];
  const turns = [
    sent(1, 0, 'batch', { tried: 10 }),
    sent(1, 0, 'batch', { tried: 8, uncounted: 2 }),
    sent(1, 1, 'batch', {}),
    sent(1, 0, 'none', {}),
    sent(1, 0, 'batch', { tried: 0 }),
    sent(1, 0, 'batch', { job_arn: null }),
    sent(2, 0, 'on_demand', { job_arn: null }),
    sent(2, 2, 'on_demand', {}),
  ];
  const tokens = { input: 1e6, output: 0 };
  expect(accountOf(turns, models)).toEqual([
    {
      model_id: 'a',
      wave: 1,
      mode: 'batch',
      records: 18,
      tokens: { input: 2e6, output: 0 },
      uncounted: 2,
      usd: 2,
    },
    { model_id: 'b', wave: 1, mode: 'batch', records: 10, tokens, usd: null },
    { model_id: 'a', wave: 2, mode: 'on_demand', records: 10, tokens, usd: 2 },
    { model_id: '', wave: 2, mode: 'on_demand', records: 10, tokens, usd: null },
  ]);
});
