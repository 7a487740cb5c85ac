import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RunPlan } from '../../../src/core/plan/run-plan.ts';
import { converse } from '../../../src/models/adapters/converse.ts';
import { runLayout, runUriOf } from '../../../src/runs/run-layout.ts';
import type { StepDeps } from '../../../src/steps/deps.ts';
import { readPlan, variantOf } from '../../../src/steps/run/read-plan.ts';
import { createDirectoryStore } from '../../../src/store/directory-store.ts';
import { writeJson } from '../../../src/store/json-object.ts';
import type { ObjectStore } from '../../../src/store/object-store.ts';
import { storeOf } from '../../support/step-policies.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const RUN_URI = runUriOf('bucket', 'old');

const asCollect = (store: ObjectStore) => storeOf('collect', store, { bucket: 'bucket' });

async function readRecorded(change = (plan: string) => plan) {
  const store = createDirectoryStore(await temporaryDirectory());
  const path = join(import.meta.dirname, '../../fixtures/plans/format-2.json');
  await store.write(runLayout(RUN_URI).plan, change(await readFile(path, 'utf8')));
  return { run: await readPlan(RUN_URI, { store: asCollect(store) } as StepDeps), store };
}

test('a plan that was written before there were variants has one, with its model, prompt and parameters', async () => {
  const { run } = await readRecorded();
  expect(run.variants).toHaveLength(1);
  const { model, call, input } = variantOf(run, { part_id: 'p00001', variant: 0 });
  expect(model).toEqual({
    model_id: 'us.amazon.nova-lite-v1:0',
    family: 'Amazon Nova',
    invocation_type: 'InvokeModel',
  });
  expect(input).toMatchObject({ model_id: model.model_id, inference_parameters: { max_tokens: 64 } });
  expect(call.template).toBe('Say {a}.');
  const body = call.frame.segments.map((segment) => (segment.kind === 'text' ? segment.text : '?')).join('');
  expect(body).toContain('"maxTokens":64');
});

test('it is written as plans are now, and means the same', async () => {
  const { run, store } = await readRecorded();
  expect(run.plan.format_version).toBe(3);
  await writeJson(store, runLayout(RUN_URI).plan, run.plan);
  const again = await readPlan(RUN_URI, { store: asCollect(store) } as StepDeps);
  expect(again.plan).toEqual(run.plan);
  expect(again.variants[0]?.call.frame).toEqual(run.variants[0]?.call.frame);
  expect(RunPlan.parse(JSON.parse(JSON.stringify(run.plan)))).toEqual(run.plan);
});

test('a run keeps the form of record that it began with, though its model has a body of its own by now', async () => {
  const { run } = await readRecorded((plan) =>
    plan.replace('"invocation_type": "InvokeModel"', '"invocation_type": "Converse"'),
  );
  const { call } = variantOf(run, { part_id: 'p00001', variant: 0 });
  expect(call.adapter).toMatchObject({ family: converse.family, invocationType: 'Converse' });
  expect(call.frame.segments[0]).toMatchObject({ text: expect.not.stringContaining('schemaVersion') });
});

test('a part of a variant that its plan does not have is named', async () => {
  const { run } = await readRecorded();
  expect(() => variantOf(run, { part_id: 'p00007', variant: 1 })).toThrow(
    'Part p00007 is of variant 1, which the plan of run "old" does not have.',
  );
});
