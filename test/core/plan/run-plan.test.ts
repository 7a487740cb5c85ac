import { expect, test } from 'vitest';
import { plannedRecords, pricedModelOf } from '../../../src/core/plan/run-plan.ts';

test('a plan sends the rows that neither another row nor a former run answers', () => {
  const plan = { selected_rows: 100, duplicates: 10 };
  expect(plannedRecords(plan)).toBe(90);
  const reuse = { rows: 60, changed: 5, answers: 1000, max_usd_without: null };
  expect(plannedRecords({ ...plan, reuse })).toBe(30);
});

test('the price goes by the model behind an id, where that is known', () => {
  const model = { model_id: 'arn:of-a-profile', base_model_id: 'amazon.nova-lite-v1:0' };
  expect(pricedModelOf({ model } as Parameters<typeof pricedModelOf>[0])).toBe('amazon.nova-lite-v1:0');
  const plain = { model: { model_id: 'amazon.nova-lite-v1:0' } } as Parameters<typeof pricedModelOf>[0];
  expect(pricedModelOf(plain)).toBe('amazon.nova-lite-v1:0');
});
