import { expect, test } from 'vitest';
import { accountLines } from '../../../src/cli/views/account-view.ts';
import type { RunSummary } from '../../../src/core/run/summary.ts';

const tokens = { input: 1000, output: 200 };
const line = { model_id: 'm', wave: 1, mode: 'batch', records: 100, tokens, usd: 0.5 } as const;
const again = { ...line, wave: 2, mode: 'on_demand', records: 3, uncounted: 1, usd: 0.01 } as const;
const estimate = {
  input_tokens: 1000,
  max_output_tokens: 9000,
  input_usd: 0.1,
  max_usd: 4.2,
  prices_as_of: '2026-11-01',
};

const linesOf = (given: Partial<RunSummary>) =>
  accountLines({ cost_usd: 0.51, simulated: false, billed: true, ...given } as RunSummary);

test('what was paid stands beside what the plan had estimated', () => {
  expect(linesOf({ estimate, account: [line] })).toEqual([
    '  cost       $0.5100, by the price table; the plan had $4.20 at most',
  ]);
  const expecting = { ...estimate, expected: { output_tokens: 200, usd: 0.55 } };
  expect(linesOf({ estimate: expecting })).toEqual([
    '  cost       $0.5100, by the price table; the plan had $0.5500 expected, $4.20 at most',
  ]);
  expect(linesOf({ estimate: { ...estimate, max_usd: null } })).toEqual([
    '  cost       $0.5100, by the price table',
  ]);
});

test('waves, models and ways of sending are told apart where there is more than one', () => {
  expect(linesOf({ account: [line, again] }).slice(1)).toEqual([
    '             wave 1, batch: 100 records, 1,000 tokens in, 200 out, $0.5000',
    '             wave 2, on demand: 3 records, 1,000 tokens in, 200 out, of 1 record nobody tells any, $0.0100',
  ]);
  const other = { ...line, model_id: 'n', usd: null };
  expect(linesOf({ cost_usd: null, account: [line, other] })).toEqual([
    '             wave 1, m, batch: 100 records, 1,000 tokens in, 200 out, $0.5000',
    '             wave 1, n, batch: 100 records, 1,000 tokens in, 200 out',
  ]);
  const many = Array.from({ length: 10 }, (_, index) => ({ ...line, wave: index + 1 }));
  expect(linesOf({ account: many }).at(-1)).toBe('             … and 2 more: --json has them');
});

test.each([{ simulated: true }, { billed: false }])(
  'where nobody paid (%o) nothing is called a cost',
  (given) => {
    const [first, ...others] = linesOf({ estimate, account: [line, again], ...given });
    expect(first).toBe('  cost       nothing; $0.5100 had these tokens been Bedrock’s');
    expect(others.join()).not.toContain('$');
  },
);
