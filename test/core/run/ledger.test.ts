import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addAttempts,
  addReasons,
  addRowCounts,
  addTokenCounts,
  addViolations,
  answeredHere,
  isBalanced,
  isFinal,
  PartLedger,
} from '../../../src/core/run/ledger.ts';

const anyCount = fc.nat({ max: 50_000 });
const balancedCounts = fc
  .record({ succeeded: anyCount, failed: anyCount, not_sent: anyCount })
  .map((counts) => ({ total: counts.succeeded + counts.failed + counts.not_sent, ...counts }));

test('ledgers that balance add up to one that balances', () => {
  fc.assert(
    fc.property(fc.array(balancedCounts), (counts) => {
      const sum = addRowCounts(counts);
      expect(isBalanced(sum)).toBe(true);
      expect(sum.total).toBe(counts.reduce((total, count) => total + count.total, 0));
    }),
  );
});

test('a row in no column, or in two, is noticed', () => {
  expect(isBalanced({ total: 3, succeeded: 1, failed: 1, not_sent: 0 })).toBe(false);
  expect(isBalanced({ total: 3, succeeded: 2, failed: 1, not_sent: 1 })).toBe(false);
});

test('reused rows are among those that succeeded, and are told only where there may be some', () => {
  const rows = { total: 3, succeeded: 2, failed: 1, not_sent: 0 };
  expect(addRowCounts([rows, rows])).toEqual({ total: 6, succeeded: 4, failed: 2, not_sent: 0 });
  expect(addRowCounts([rows, { ...rows, reused: 2 }, { ...rows, reused: 1 }])).toMatchObject({ reused: 3 });
  expect(isBalanced({ ...rows, reused: 2 })).toBe(true);
  expect(isBalanced({ ...rows, reused: 3 })).toBe(false);
  expect(answeredHere(rows)).toBe(2);
  expect(answeredHere({ ...rows, reused: 2 })).toBe(0);
});

test('tokens are added by their kind', () => {
  expect(
    addTokenCounts([
      { input: 1, output: 10 },
      { input: 2, output: 0 },
    ]),
  ).toEqual({ input: 3, output: 10 });
  expect(addTokenCounts([])).toEqual({ input: 0, output: 0 });
});

describe('reasons', () => {
  const reason = (error_code: string, rows: number, example: string) => ({
    error_code,
    rows,
    example_record_id: example,
    example_message: `message of ${example}`,
  });

  test('of the same code are one, with the first example, the most frequent first', () => {
    expect(addReasons([reason('400', 1, 'r1'), reason('NoOutput', 5, 'r2'), reason('400', 9, 'r3')])).toEqual(
      [reason('400', 10, 'r1'), reason('NoOutput', 5, 'r2')],
    );
  });

  test('as frequent as each other come in the order of their codes', () => {
    const two = [reason('NoOutput', 2, 'r1'), reason('400', 2, 'r2')];
    expect(addReasons(two)).toEqual(two.toReversed());
    expect(addReasons(two.toReversed())).toEqual(two.toReversed());
  });

  test('account for every row, in whatever order the parts come', () => {
    const anyReason = fc
      .tuple(fc.constantFrom('400', '429', 'NoOutput'), fc.integer({ min: 1, max: 100 }))
      .map(([code, rows]) => reason(code, rows, 'r1'));
    fc.assert(
      fc.property(fc.array(anyReason), (reasons) => {
        const sum = addReasons(reasons);
        const rowsOf = (some: typeof reasons) => some.reduce((rows, one) => rows + one.rows, 0);
        expect(rowsOf(sum)).toBe(rowsOf(reasons));
        expect(new Set(sum.map(({ error_code }) => error_code)).size).toBe(sum.length);
        expect(addReasons(reasons.toReversed())).toEqual(sum);
      }),
    );
  });
});

test('a ledger with a negative or broken count is not one', () => {
  const ledger = {
    part_id: 'p00001',
    wave: 1,
    rows: { total: 1, succeeded: 1, failed: 0, not_sent: 0 },
    tokens: { input: 1, output: 1 },
    reasons: [],
    stray_lines: 0,
    job_arn: null,
    job_status: null,
    job_message: null,
    owed: { records: 1, bytes: 10 },
  };
  expect(PartLedger.parse(ledger)).toEqual(ledger);
  expect(PartLedger.safeParse({ ...ledger, rows: { ...ledger.rows, failed: -1 } }).success).toBe(false);
  expect(PartLedger.safeParse({ ...ledger, stray_lines: 0.5 }).success).toBe(false);
});

test('violations of all ledgers add up by property, the most frequent first, then by name', () => {
  expect(
    addViolations([
      { property: 'score', answers: 2 },
      { property: 'label', answers: 3 },
      { property: 'why', answers: 2 },
      { property: 'label', answers: 4 },
      { property: 'about', answers: 2 },
    ]),
  ).toEqual([
    { property: 'label', answers: 7 },
    { property: 'about', answers: 2 },
    { property: 'score', answers: 2 },
    { property: 'why', answers: 2 },
  ]);
  expect(addViolations([])).toEqual([]);
});

test('a result is final where nothing is owed, and no row waits for another’s answer', () => {
  const owed = (records: number) => ({ records, bytes: 0 }) as PartLedger['owed'];
  expect(isFinal({ owed: owed(0) })).toBe(true);
  expect(isFinal({ owed: owed(1) })).toBe(false);
  expect(isFinal({ owed: owed(0), answered_elsewhere: 2 })).toBe(false);
});

test('counts by attempts are added up, the fewest attempts first', () => {
  const counts = [
    { attempts: 2, rows: 1, succeeded: 0 },
    { attempts: 1, rows: 5, succeeded: 5 },
    { attempts: 2, rows: 2, succeeded: 2 },
  ];
  expect(addAttempts(counts)).toEqual([
    { attempts: 1, rows: 5, succeeded: 5 },
    { attempts: 2, rows: 3, succeeded: 2 },
  ]);
});
