import { expect, test } from 'vitest';
import { listDatasetObjects } from '../../../src/steps/plan/dataset-files.ts';
import { inputHashOf } from '../../../src/steps/plan/run-identity.ts';
import { isCancelled, markCancelled } from '../../../src/steps/run/cancellation.ts';
import { writeJson } from '../../../src/store/json-object.ts';
import { cancelRun, resumeRun } from '../../../src/targets/aws/cancel-run.ts';
import { layoutOf } from '../../../src/targets/jobs-of-run.ts';
import type { DoubleScript } from '../../support/aws-double.ts';
import { BUCKET, EXECUTION_ARN, execution, openDeployedDouble } from '../../support/deployed-double.ts';

const DATASET = `s3://${BUCKET}/datasets/rows.csv` as const;
const INPUT = {
  s3_uri: DATASET,
  model_id: 'us.anthropic.claude-haiku-4-5-20251001-v1:0',
  prompt_template: 'Say {name}',
};
const COUNTS = { total: 1, succeeded: 1, failed: 0, not_sent: 0 };
const NO_JOBS: DoubleScript = { 'GET /model-invocation-jobs': { body: { invocationJobSummaries: [] } } };

function listed(...executions: [name: string, status: string][]) {
  return {
    body: {
      executions: executions.map(([name, status]) => ({
        ...execution().body,
        name,
        status,
      })),
    },
  };
}

/** A deployment with a planned run, `jokes`. */
async function open(script: DoubleScript) {
  const { target, double } = await openDeployedDouble({ ...NO_JOBS, ...script });
  const { store, hash } = target;
  await store.write(DATASET, 'name\none\n');
  const { objects: files } = await listDatasetObjects(DATASET, store);
  const layout = layoutOf(BUCKET, 'jokes');
  await writeJson(store, layout.plan, {
    format_version: 1,
    quarry_version: '0.1.0',
    run_id: 'jokes',
    input_hash: inputHashOf(INPUT, INPUT.prompt_template, { source: files, hash }),
    input: INPUT,
    dataset: {
      format: 'csv',
      files: files.map(({ uri, etag, size }) => ({ uri, etag, bytes: size, rows: 1 })),
      columns: [{ name: 'name', type: 'VARCHAR' }],
      rows: 1,
    },
    hub: null,
    model: { model_id: INPUT.model_id, family: 'anthropic-messages', invocation_type: 'InvokeModel' },
    prompt_template: INPUT.prompt_template,
    prompt_hash: 'p',
    output_column: 'response',
    selected_rows: 1,
    duplicates: 0,
    on_demand_rows: 0,
    parts: 1,
    max_rows_per_part: 1,
    slices: 1,
    max_concurrent_jobs: 1,
    min_records_per_job: 1,
    max_attempts: 3,
    estimate: {
      input_tokens: 1,
      max_output_tokens: 1,
      max_usd: null,
      input_usd: null,
      prices_as_of: '2026-11-01',
    },
    created_at: '2026-11-01T00:00:00.000Z',
  });
  const writeSummary = (status: string) =>
    writeJson(store, layout.summary, {
      format_version: 1,
      quarry_version: '0.1.0',
      run_id: 'jokes',
      status,
      stop: null,
      rows: COUNTS,
      attempts: [],
      waves: 1,
      reasons: [],
      tokens: { input: 1, output: 1 },
      cost_usd: null,
      duplicates: 0,
      jobs: 1,
      on_demand_records: 0,
      simulated: false,
      output_uris: [],
      started_at: '2026-11-01T00:00:00.000Z',
      ended_at: '2026-11-01T00:00:01.000Z',
      input: INPUT,
      input_hash: 'i',
      prompt_hash: 'p',
      model_id: INPUT.model_id,
      dataset_files: [],
      dataset_rows: 1,
      hub: null,
    });
  return { target, double, layout, writeSummary };
}

test('a run that came to its end before it could be cancelled is no cancelled one', async () => {
  let looks = 0;
  const { target, layout, writeSummary } = await open({
    ListExecutions: listed(['jokes', 'RUNNING']),
    DescribeExecution: async () => {
      looks += 1;
      if (looks === 1) return execution();
      await writeSummary('succeeded');
      return execution({ status: 'SUCCEEDED', output: '{"run_id":"jokes"}' });
    },
    GetExecutionHistory: { body: { events: [] } },
  });
  const result = await cancelRun('jokes', { target });
  expect(result).toMatchObject({
    kind: 'followed',
    result: { kind: 'finished', summary: { status: 'succeeded' } },
  });
  expect(await isCancelled(layout, target.store)).toBe(false);
});

test('a cancelled run is not resumed while its execution harvests it', async () => {
  const { target, layout } = await open({ ListExecutions: listed(['jokes', 'RUNNING']) });
  await markCancelled(layout, target.store, new Date(0));
  await expect(resumeRun('jokes', target)).rejects.toThrow(
    'Run "jokes" is being cancelled: the execution jokes is collecting its jobs. Wait until it has ended, then resume the run.',
  );
  expect(await isCancelled(layout, target.store)).toBe(true);
});

test('a cancelled run that is resumed goes on under its id, by a new execution', async () => {
  const { target, layout, writeSummary, double } = await open({
    ListExecutions: listed(['jokes', 'SUCCEEDED']),
    StartExecution: { body: { executionArn: EXECUTION_ARN, startDate: 1 } },
  });
  await markCancelled(layout, target.store, new Date(0));
  await writeSummary('cancelled');
  expect(await resumeRun('jokes', target, { changes: { max_cost_usd: 9 } })).toMatchObject({
    executionName: 'jokes_2',
    runId: 'jokes',
    joined: false,
  });
  expect(await isCancelled(layout, target.store)).toBe(false);
  expect(await target.store.head(layout.summary)).toBeUndefined();
  const started = double.calls.find(({ action }) => action === 'StartExecution');
  expect(JSON.parse(String(started?.body.input))).toEqual({ ...INPUT, max_cost_usd: 9, run_id: 'jokes' });
});

test('a run that nobody knows is neither cancelled nor resumed', async () => {
  const { target } = await open({ ListExecutions: listed() });
  await expect(cancelRun('nobody', { target })).rejects.toThrow(
    'There is no run "nobody" on the stack "Quarry" in us-east-1.',
  );
  await expect(resumeRun('nobody', target)).rejects.toThrow(
    'There is no plan of a run "nobody" on the stack "Quarry" in us-east-1. Start the run with its input instead: quarry run.',
  );
});
