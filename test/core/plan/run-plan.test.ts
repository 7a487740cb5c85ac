import { expect, test } from 'vitest';
import { plannedRecords } from '../../../src/core/plan/run-plan.ts';

test('a plan sends the rows that neither another row nor a former run answers', () => {
  const plan = { selected_rows: 100, duplicates: 10 };
  expect(plannedRecords(plan)).toBe(90);
  const reuse = { rows: 60, changed: 5, answers: 1000, max_usd_without: null };
  expect(plannedRecords({ ...plan, reuse })).toBe(30);
});
