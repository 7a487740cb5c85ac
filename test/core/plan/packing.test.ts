import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_BATCH_QUOTAS } from '../../../src/core/jobs/quotas.ts';
import {
  balancedRanges,
  DEFAULT_SPREAD_RECORDS,
  type PackingLimits,
  packGroups,
  packRows,
  pilotRows,
  rowsThatFit,
} from '../../../src/core/plan/packing.ts';
import { scheduleJobs } from '../../../src/core/plan/schedule.ts';

/** Quotas that many accounts have had since before 2026. */
const BEDROCK: PackingLimits = { minRecords: 100, maxRecords: 50_000, maxBytes: 1024 ** 3, slots: 20 };

/** What Quarry takes an account to have, as a run packs for it. */
const DEFAULTS: PackingLimits = {
  minRecords: DEFAULT_BATCH_QUOTAS.minRecordsPerJob,
  maxRecords: DEFAULT_BATCH_QUOTAS.maxRecordsPerJob,
  maxBytes: DEFAULT_BATCH_QUOTAS.maxInputFileBytes,
  slots: DEFAULT_BATCH_QUOTAS.maxConcurrentJobs,
  spreadRecords: DEFAULT_SPREAD_RECORDS,
};

function sizesOf(rows: number, limits: Partial<PackingLimits> = {}, bytesPerRow = 100): number[] {
  return packRows(rows, bytesPerRow, { ...BEDROCK, ...limits }).map((part) => part.rows);
}

const anyLimits = fc
  .record({
    minRecords: fc.integer({ min: 1, max: 200 }),
    above: fc.integer({ min: 0, max: 5_000 }),
    maxBytes: fc.integer({ min: 1, max: 2_000_000 }),
    slots: fc.integer({ min: 1, max: 30 }),
    maxParts: fc.option(fc.integer({ min: 1, max: 50 }), { nil: undefined }),
    spreadRecords: fc.option(fc.integer({ min: 1, max: 3_000 }), { nil: undefined }),
  })
  .map(
    ({ above, maxParts, spreadRecords, ...rest }): PackingLimits => ({
      ...rest,
      maxRecords: rest.minRecords + above,
      ...(maxParts === undefined ? {} : { maxParts }),
      ...(spreadRecords === undefined ? {} : { spreadRecords }),
    }),
  );
const anyRows = fc.integer({ min: 1, max: 100_000 });
const anyBytesPerRow = fc.double({ min: 0, max: 20_000, noNaN: true });

function fitOf(bytesPerRow: number, { maxRecords, maxBytes }: PackingLimits): number {
  return Math.max(1, Math.min(maxRecords, Math.floor(maxBytes / Math.max(1, bytesPerRow))));
}

describe('packing', () => {
  test('keeps every row once, in order', () => {
    fc.assert(
      fc.property(anyRows, anyBytesPerRow, anyLimits, (rows, bytesPerRow, limits) => {
        let next = 0;
        for (const part of packRows(rows, bytesPerRow, limits)) {
          if (part.firstRow !== next || part.rows < 1) throw new Error(`part at ${part.firstRow} of ${next}`);
          next += part.rows;
        }
        expect(next).toBe(rows);
      }),
    );
  });

  test('never exceeds the records and bytes of a job, however few parts are wished for', () => {
    fc.assert(
      fc.property(anyRows, anyBytesPerRow, anyLimits, (rows, bytesPerRow, limits) => {
        const largest = Math.max(...packRows(rows, bytesPerRow, limits).map((part) => part.rows));
        expect(largest).toBeLessThanOrEqual(limits.maxRecords);
        expect(largest === 1 || largest * bytesPerRow <= limits.maxBytes).toBe(true);
      }),
    );
  });

  test('keeps the minimum in every part but one, where a job may hold so many rows at all', () => {
    fc.assert(
      fc.property(anyRows, anyBytesPerRow, anyLimits, (rows, bytesPerRow, limits) => {
        fc.pre(fitOf(bytesPerRow, limits) >= limits.minRecords);
        const sizes = packRows(rows, bytesPerRow, limits).map((part) => part.rows);
        const under = sizes.filter((size) => size < limits.minRecords);
        expect(under.length).toBeLessThanOrEqual(1);
        // One is under only where rows and limits leave no other way.
        const feasible = Math.ceil(rows / fitOf(bytesPerRow, limits)) <= Math.floor(rows / limits.minRecords);
        expect(under.length === 0).toBe(feasible);
      }),
    );
  });

  test('balances within one row, wherever balance keeps the minimum', () => {
    fc.assert(
      fc.property(anyRows, anyBytesPerRow, anyLimits, (rows, bytesPerRow, limits) => {
        const sizes = packRows(rows, bytesPerRow, limits).map((part) => part.rows);
        fc.pre(sizes.every((size) => size >= limits.minRecords));
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('makes no more parts than asked for, where the rows fit into so many', () => {
    fc.assert(
      fc.property(anyRows, anyBytesPerRow, anyLimits, (rows, bytesPerRow, limits) => {
        fc.pre(limits.maxParts !== undefined && rows <= rowsThatFit(bytesPerRow, limits));
        expect(packRows(rows, bytesPerRow, limits).length).toBeLessThanOrEqual(limits.maxParts ?? 0);
      }),
    );
  });

  test('of 2,200,000 rows on 20 slots is three full waves of 60 equal parts, not 44', () => {
    const sizes = sizesOf(2_200_000);
    expect(sizes).toHaveLength(60);
    expect(new Set(sizes)).toEqual(new Set([36_666, 36_667]));
  });

  test('by the quotas of 2026 is one wave of 100 jobs for 2,200,000 rows, and of 22 where no slot is to be filled', () => {
    expect(sizesOf(2_200_000, DEFAULTS)).toEqual(Array.from({ length: 100 }, () => 22_000));
    expect(sizesOf(2_200_000, { ...DEFAULTS, spreadRecords: 100_001 })).toEqual(
      Array.from({ length: 22 }, () => 100_000),
    );
  });

  test('takes no more slots than a run may have', () => {
    expect(sizesOf(300_000, DEFAULTS)).toEqual(Array.from({ length: 100 }, () => 3_000));
    expect(sizesOf(300_000, { ...DEFAULTS, slots: 10 })).toEqual(Array.from({ length: 10 }, () => 30_000));
    expect(sizesOf(2_400, DEFAULTS)).toEqual([2_400]);
  });

  test('makes two full waves of what is one part too many for one: the same dollars in half the time', () => {
    const sizes = sizesOf(10_100_000, DEFAULTS);
    expect(sizes).toEqual(Array.from({ length: 200 }, () => 50_500));
    const hoursOf = (parts: readonly number[]) =>
      scheduleJobs(parts, { jobsInFlight: 100, recordsPerHour: 50_500 }).hours;
    expect(hoursOf(sizes)).toBe(2);
    expect(hoursOf(Array.from({ length: 101 }, () => 100_000))).toBeCloseTo(3.96, 2);
  });

  test('ends no later than the fewest parts would, and makes less than twice as many of them where slots are too few', () => {
    fc.assert(
      fc.property(anyRows, anyBytesPerRow, anyLimits, (rows, bytesPerRow, limits) => {
        const sizes = packRows(rows, bytesPerRow, limits).map((part) => part.rows);
        fc.pre(sizes.every((size) => size >= limits.minRecords));
        const needed = Math.ceil(rows / fitOf(bytesPerRow, limits));
        const fewest = balancedRanges({ firstRow: 0, rows }, needed).map((part) => part.rows);
        const endOf = (parts: readonly number[]) =>
          scheduleJobs(parts, { jobsInFlight: limits.slots, recordsPerHour: 1 });
        // Parts of one size differ by a row, and so do slots that get several of them.
        expect(endOf(sizes).hours).toBeLessThanOrEqual(endOf(fewest).hours + endOf(fewest).rounds);
        expect(endOf(sizes).rounds).toBe(endOf(fewest).rounds);
        if (needed > limits.slots) expect(sizes.length).toBeLessThan(2 * needed);
      }),
    );
  });

  test('up to as many parts as slots makes no more than are needed', () => {
    expect(sizesOf(1_000_000)).toEqual(Array.from({ length: 20 }, () => 50_000));
    expect(sizesOf(120_001)).toEqual([40_000, 40_000, 40_001]);
  });

  test('fills idle slots, down to so many records a part', () => {
    const spreadRecords = 2_500;
    expect(sizesOf(300_000, { spreadRecords })).toEqual(Array.from({ length: 20 }, () => 15_000));
    expect(sizesOf(12_400, { spreadRecords })).toEqual([3_100, 3_100, 3_100, 3_100]);
    expect(sizesOf(4_999, { spreadRecords })).toEqual([4_999]);
    expect(sizesOf(300_000, { spreadRecords: 50_000 })).toHaveLength(6);
    expect(sizesOf(300_000, { spreadRecords, maxParts: 7 })).toHaveLength(7);
    expect(sizesOf(300_000, { spreadRecords: 10, minRecords: 30_000 })).toHaveLength(10);
  });

  test('fills idle slots without a part under that number, or more parts than slots for it', () => {
    fc.assert(
      fc.property(anyRows, anyBytesPerRow, anyLimits, (rows, bytesPerRow, limits) => {
        const { spreadRecords: floor = 0, ...without } = limits;
        fc.pre(floor > 0);
        const plain = packRows(rows, bytesPerRow, without);
        const spread = packRows(rows, bytesPerRow, limits);
        expect(spread.length).toBeGreaterThanOrEqual(plain.length);
        if (spread.length === plain.length) return;
        expect(spread.length).toBeLessThanOrEqual(limits.slots);
        expect(Math.min(...spread.map((part) => part.rows))).toBeGreaterThanOrEqual(floor);
      }),
    );
  });

  test('leaves a last wave as it is where filling it would break the minimum', () => {
    expect(sizesOf(2_100, { maxRecords: 101 })).toHaveLength(21);
  });

  test('leaves a last wave as it is where the user limits the jobs', () => {
    expect(sizesOf(2_200_000, { maxParts: 44 })).toHaveLength(44);
    expect(sizesOf(2_200_000, { maxParts: 60 })).toHaveLength(60);
  });

  test('cuts by bytes where rows are long', () => {
    expect(sizesOf(3_000, {}, 1024 ** 2)).toEqual([1_000, 1_000, 1_000]);
  });

  test('gives a row that is longer than a file a part of its own', () => {
    expect(sizesOf(3, {}, 2 * 1024 ** 3)).toEqual([1, 1, 1]);
  });

  test('of fewer rows than the minimum is one part', () => {
    expect(sizesOf(1)).toEqual([1]);
    expect(sizesOf(99)).toEqual([99]);
  });

  test('fills parts where a balance would bring them all under the minimum', () => {
    expect(sizesOf(150, { maxRecords: 100 })).toEqual([100, 50]);
    expect(sizesOf(2_150, { maxRecords: 100 })).toEqual([...Array.from({ length: 21 }, () => 100), 50]);
  });

  test('of no rows is no parts', () => {
    expect(sizesOf(0)).toEqual([]);
  });

  test('of a hundred million rows stays balanced', () => {
    const sizes = sizesOf(100_000_000);
    expect(sizes).toHaveLength(2_000);
    expect(new Set(sizes)).toEqual(new Set([50_000]));
  });
});

test('a range is cut from its own first row on', () => {
  expect(balancedRanges({ firstRow: 10, rows: 5 }, 2)).toEqual([
    { firstRow: 10, rows: 2 },
    { firstRow: 12, rows: 3 },
  ]);
});

test('the rows that fit into the jobs asked for are counted by records and by bytes', () => {
  expect(rowsThatFit(100, { ...BEDROCK, maxParts: 2 })).toBe(100_000);
  expect(rowsThatFit(1024 ** 2, { ...BEDROCK, maxParts: 2 })).toBe(2_048);
  expect(rowsThatFit(100, BEDROCK)).toBe(Number.POSITIVE_INFINITY);
});

describe('packing groups that no part may straddle', () => {
  const group = (firstRow: number, rows: number) => ({ firstRow, rows });
  const countsOf = (groups: { firstRow: number; rows: number }[], limits: Partial<PackingLimits>) =>
    packGroups(groups, 100, { ...BEDROCK, ...limits }).map((parts) => parts.map(({ rows }) => rows));

  test('gives the group with the largest parts one more, until the last wave is full', () => {
    expect(countsOf([group(0, 1_000), group(1_000, 3_000)], { maxRecords: 1_000, slots: 3 })).toEqual([
      [500, 500],
      [750, 750, 750, 750],
    ]);
  });

  test('makes no more parts than are needed where all of them run at once', () => {
    expect(countsOf([group(0, 500), group(500, 700)], {})).toEqual([[500], [700]]);
  });

  test('fills idle slots from the group with the largest parts, down to so many records a part', () => {
    const groups = [group(0, 12_000), group(12_000, 30_000), group(42_000, 0), group(42_000, 900)];
    const spreadRecords = 2_500;
    expect(countsOf(groups, { spreadRecords }).map((sizes) => sizes.length)).toEqual([4, 12, 0, 1]);
    expect(countsOf(groups, { spreadRecords, slots: 5 }).map((sizes) => sizes.length)).toEqual([1, 3, 0, 1]);
    expect(countsOf(groups, { spreadRecords, maxParts: 4 }).flat()).toHaveLength(4);
    expect(countsOf([group(0, 4_000), group(4_000, 4_000)], { spreadRecords })).toEqual([[4_000], [4_000]]);
  });

  test('leaves an empty group without a part', () => {
    expect(countsOf([group(0, 0), group(0, 4_000)], { maxRecords: 1_000, slots: 3 })[0]).toEqual([]);
    expect(countsOf([group(0, 0), group(0, 4_000)], { maxRecords: 1_000, slots: 3 })[1]).toHaveLength(6);
  });

  test('leaves the last wave as it is where the user limits the jobs, or parts would fall under the minimum', () => {
    const groups = [group(0, 1_000), group(1_000, 3_000)];
    expect(countsOf(groups, { maxRecords: 1_000, slots: 3, maxParts: 4 }).flat()).toHaveLength(4);
    expect(countsOf(groups, { maxRecords: 1_000, slots: 3, minRecords: 800 }).flat()).toHaveLength(4);
  });
});

test('a pilot is cut off where three parts or more are much larger, and there may be one more', () => {
  const parts = (rows: number, count: number) => balancedRanges({ firstRow: 0, rows: rows * count }, count);
  expect(pilotRows([], BEDROCK)).toBe(0);
  expect(pilotRows(parts(5000, 2), BEDROCK)).toBe(0);
  expect(pilotRows(parts(1000, 3), BEDROCK)).toBe(0);
  expect(pilotRows(parts(1001, 3), BEDROCK)).toBe(500);
  expect(pilotRows(parts(5000, 3), { ...BEDROCK, minRecords: 2000 })).toBe(2000);
  expect(pilotRows(parts(5000, 3), { ...BEDROCK, maxParts: 3 })).toBe(0);
  expect(pilotRows(parts(5000, 3), { ...BEDROCK, maxParts: 4 })).toBe(500);
});
