import { expect, test } from 'vitest';
import {
  isSideBySide,
  ledgerRowsOf,
  modelsOf,
  plannedRecords,
  pricedModelOf,
  type RunPlan,
} from '../../../src/core/plan/run-plan.ts';

test('rows count once in each variant, and models are named once', () => {
  const variant = (model_id: string) => ({ model: { model_id } });
  const plan = { selected_rows: 10, variants: ['m', 'n', 'm'].map(variant) } as unknown as RunPlan;
  expect([ledgerRowsOf(plan), modelsOf(plan), isSideBySide(plan)]).toEqual([30, 'm, n', true]);
  expect(isSideBySide({ variants: [variant('m')] } as unknown as RunPlan)).toBe(false);
});

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
