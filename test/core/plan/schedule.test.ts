import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type PackingLimits, packFull, packRows } from '../../../src/core/plan/packing.ts';
import { DEFAULT_RECORDS_PER_HOUR, scheduleJobs } from '../../../src/core/plan/schedule.ts';

const limits: PackingLimits = { minRecords: 100, maxRecords: 50_000, maxBytes: 1024 ** 3, slots: 20 };
const pace = { jobsInFlight: 20, recordsPerHour: 50_000 / 9 };

function sizesOf(parts: readonly { rows: number }[]): number[] {
  return parts.map(({ rows }) => rows);
}

describe('the schedule', () => {
  test('of 2,200,000 rows by the quotas of 2026 ends after about 4 hours, and after 18 with full parts', () => {
    const now = { ...pace, jobsInFlight: 100 };
    const spread = { ...limits, maxRecords: 100_000, slots: 100, spreadRecords: 2_500 };
    const balanced = scheduleJobs(sizesOf(packRows(2_200_000, 1_000, spread)), now);
    expect(balanced).toMatchObject({ jobs: 100, largest: 22_000, smallest: 22_000, rounds: 1 });
    expect(balanced.hours).toBeCloseTo(3.96, 3);
    const full = scheduleJobs(sizesOf(packFull(2_200_000, 100_000)), now);
    expect(full).toEqual({ jobs: 22, largest: 100_000, smallest: 100_000, rounds: 1, hours: 18 });
  });

  test('of 2,200,000 rows by the quotas before ends after about 27 hours with full parts and 20 with balanced ones', () => {
    const naive = scheduleJobs(sizesOf(packFull(2_200_000, 50_000)), pace);
    expect(naive).toEqual({ jobs: 44, largest: 50_000, smallest: 50_000, rounds: 3, hours: 27 });
    const balanced = scheduleJobs(sizesOf(packRows(2_200_000, 1_000, limits)), pace);
    expect(balanced).toMatchObject({ jobs: 60, largest: 36_667, smallest: 36_666, rounds: 3 });
    expect(balanced.hours).toBeCloseTo(19.8, 3);
  });

  test('of 2,200,001 rows has a scrap of one with full parts, and none with balanced ones', () => {
    expect(scheduleJobs(sizesOf(packFull(2_200_001, 50_000)), pace)).toMatchObject({
      jobs: 45,
      smallest: 1,
      rounds: 3,
      hours: 27,
    });
    expect(scheduleJobs(sizesOf(packRows(2_200_001, 1_000, limits)), pace).smallest).toBe(36_666);
  });

  test('gives a job the slot that is free first', () => {
    expect(scheduleJobs([10, 2, 3, 4], { jobsInFlight: 2, recordsPerHour: 1 }).hours).toBe(10);
  });

  test('of no jobs takes no time', () => {
    expect(scheduleJobs([], pace)).toEqual({ jobs: 0, largest: 0, smallest: 0, rounds: 0, hours: 0 });
  });

  test('takes no longer with more slots, no less than the work needs, and no longer than one job after another', () => {
    const records = fc.array(fc.integer({ min: 1, max: 50_000 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(records, fc.integer({ min: 1, max: 30 }), (sizes, jobsInFlight) => {
        const total = sizes.reduce((sum, size) => sum + size, 0);
        const { hours } = scheduleJobs(sizes, { jobsInFlight, recordsPerHour: 1 });
        expect(hours).toBeLessThanOrEqual(total);
        expect(hours).toBeGreaterThanOrEqual(Math.max(total / jobsInFlight, ...sizes));
        expect(hours).toBeLessThanOrEqual(total / jobsInFlight + Math.max(...sizes));
      }),
    );
  });

  test('is by default at the pace of 50,000 records in nine hours', () => {
    expect(50_000 / DEFAULT_RECORDS_PER_HOUR).toBeCloseTo(9, 2);
  });
});
