import { describe, expect, test } from 'vitest';
import type { PreparedPart } from '../../../src/core/plan/part.ts';
import type { PartLedger } from '../../../src/core/run/ledger.ts';
import { partUsd, spentAtMost, type VariantSoFar, variantCost } from '../../../src/steps/waves/part-cost.ts';
import type { Turn } from '../../../src/steps/waves/turns.ts';

const price = { batch: { input: 1, output: 10 }, on_demand: { input: 2, output: 20 }, isGiven: false };

const prepared = [{ bytes: 1500 }, { bytes: 500 }] as PreparedPart[];

const plan = (expected?: VariantSoFar['plan']['estimate']['expected']): VariantSoFar['plan'] => ({
  selected_rows: 12,
  duplicates: 2,
  estimate: {
    input_tokens: 400,
    max_input_tokens: 500,
    max_output_tokens: 1000,
    max_usd: null,
    input_usd: null,
    prices_as_of: '2026-11-01',
    ...(expected === undefined ? {} : { expected }),
  },
});

/** A turn of ten records and a thousand bytes. */
function turn(ledger: Partial<PartLedger>, given: { variant?: number; mode?: string } = {}): Turn {
  return {
    part: { variant: 0, mode: 'batch', records: 10, bytes: 1000, ...given },
    ledger: { rows: { succeeded: 10 }, tokens: { input: 0, output: 0 }, ...ledger },
  } as unknown as Turn;
}

const so = (given: Partial<VariantSoFar> = {}) =>
  variantCost({ plan: plan(), price, prepared, turns: [], ...given });

describe('what the parts of a variant may cost', () => {
  test('is at most the plan’s estimate, its input by bytes, and all of them together no more', () => {
    const cost = so();
    expect(cost.most).toEqual({ inputPerByte: 0.25, outputPerRecord: 100 });
    const usd = partUsd({ mode: 'batch', records: 10, bytes: 2000 }, cost);
    expect(usd).toEqual({ worst: (500 + 10_000) / 1e6, expected: (500 + 10_000) / 1e6 });
    expect(partUsd({ mode: 'on_demand', records: 10, bytes: 2000, moreInput: 100 }, cost).worst).toBe(
      (1200 + 20_000) / 1e6,
    );
    expect(so({ plan: { ...plan(), selected_rows: 2 }, prepared: [] }).most).toEqual({
      inputPerByte: 500,
      outputPerRecord: 1000,
    });
  });

  test('is expected as the plan expects it before there are answers', () => {
    expect(so({ plan: plan({ output_tokens: 50, usd: 1 }) }).expected).toEqual({
      inputPerByte: 0.2,
      outputPerRecord: 5,
    });
    const told = plan({ input_tokens: 200, output_tokens: 50, usd: 1 });
    expect(so({ plan: told }).expected).toEqual({ inputPerByte: 0.1, outputPerRecord: 5 });
  });

  test('is expected as the answers so far have it, and never above the most', () => {
    const ended = turn({ tokens: { input: 600, output: 80 }, tried: 8 });
    const cost = so({ turns: [ended, turn({ tried: 0 }), turn({ uncounted: 10 })] });
    expect(cost.expected).toEqual({ inputPerByte: 0.75, outputPerRecord: 10 });
    // More input for a byte than was counted is what the other parts may have too.
    expect(cost.most.inputPerByte).toBe(0.75);
    const long = so({ turns: [turn({ tokens: { input: 1, output: 9000 } })] });
    const { worst, expected } = partUsd({ mode: 'batch', records: 1, bytes: 100 }, long);
    expect(expected).toBe(worst);
  });
});

describe('what turns took', () => {
  const costs = [so()];

  test('goes by the tokens that are told, at the price of how they were sent', () => {
    const tokens = { input: 1000, output: 100 };
    const turns = [turn({ tokens, uncounted: 0 }), turn({ tokens }, { mode: 'on_demand' })];
    expect(spentAtMost(turns, costs)).toBeCloseTo(0.002 + 0.004, 12);
    expect(spentAtMost([turn({ tokens }, { variant: 1 })], costs)).toBe(0);
  });

  test('counts the most for records whose tokens nobody tells', () => {
    expect(spentAtMost([turn({ uncounted: 5 })], costs)).toBeCloseTo((125 + 5000) / 1e6, 12);
    // Ledgers of earlier versions do not say how many those are.
    expect(spentAtMost([turn({})], costs)).toBeCloseTo((250 + 10_000) / 1e6, 12);
    const failed = { total: 10, succeeded: 0, failed: 10, not_sent: 0 };
    expect(spentAtMost([turn({ rows: failed })], costs)).toBe(0);
    const reused = { total: 10, succeeded: 4, failed: 6, not_sent: 0, reused: 4 };
    expect(spentAtMost([turn({ rows: reused })], costs)).toBe(0);
  });
});
