import { expect, test } from 'vitest';
import { AccessDeniedError } from '../../../src/core/errors.ts';
import { startRun } from '../../../src/targets/aws/start-run.ts';
import { type DoubleScript, jsonError } from '../../support/aws-double.ts';
import { BUCKET, EXECUTION_ARN, execution, openDeployedDouble } from '../../support/deployed-double.ts';

const INPUT = {
  s3_uri: `s3://${BUCKET}/datasets/rows.csv`,
  model_id: 'us.anthropic.claude-haiku-4-5-20251001-v1:0',
  prompt_template: 'Say {name}',
  run_id: 'jokes',
};
const STARTED = { body: { executionArn: EXECUTION_ARN, startDate: 1 } };
const NONE = { body: { executions: [] } };
const TAKEN = jsonError('ExecutionAlreadyExists', 'Execution Already Exists');

function listed(...executions: [name: string, status: string][]) {
  return {
    body: {
      executions: executions.map(([name, status], index) => ({
        executionArn: `${EXECUTION_ARN}-${name}`,
        stateMachineArn: 'm',
        name,
        status,
        startDate: 1_790_000_000 - index,
      })),
    },
  };
}

async function start(
  script: DoubleScript,
  {
    input = INPUT,
    problems = [],
  }: { input?: object; problems?: { message: string; blocksStart: boolean }[] } = {},
) {
  const { target, double } = await openDeployedDouble(script, problems);
  await target.store.write(`s3://${BUCKET}/datasets/rows.csv`, 'name\none\n');
  const names = () =>
    double.calls.filter(({ action }) => action === 'StartExecution').map(({ body }) => body.name);
  return { starting: startRun(input, target), double, names };
}

test('a run that was never started takes its own id as the execution’s name', async () => {
  const { starting, double } = await start({ ListExecutions: NONE, StartExecution: STARTED });
  expect(await starting).toEqual({
    executionArn: EXECUTION_ARN,
    executionName: 'jokes',
    runId: 'jokes',
    joined: false,
  });
  const { body } = double.calls.find(({ action }) => action === 'StartExecution') ?? {};
  expect(JSON.parse(String(body?.input))).toEqual(INPUT);
});

test('a name is not used twice: the next number is taken, also where a listing lags behind', async () => {
  const { starting, names } = await start({
    ListExecutions: listed(['jokes', 'FAILED'], ['jokes_7', 'ABORTED'], ['other_9', 'FAILED']),
    StartExecution: [TAKEN, STARTED],
  });
  expect(await starting).toMatchObject({ executionName: 'jokes_9' });
  expect(names()).toEqual(['jokes_8', 'jokes_9']);
});

test('names that are all taken end in an error, not in a loop', async () => {
  const { starting, names } = await start({ ListExecutions: NONE, StartExecution: TAKEN });
  await expect(starting).rejects.toThrow('Run "jokes" is being started by someone else right now.');
  expect(names()).toHaveLength(20);
});

test('the execution that is working on the run is joined', async () => {
  const { starting, names } = await start({
    ListExecutions: listed(['jokes_2', 'RUNNING'], ['jokes', 'FAILED']),
    DescribeExecution: execution({ input: JSON.stringify({ ...INPUT, max_attempts: null }) }),
  });
  expect(await starting).toMatchObject({ executionName: 'jokes_2', joined: true });
  expect(names()).toEqual([]);
});

test('one that was started in the console is known by what Plan has called its run, and joined', async () => {
  const { run_id: _, ...nameless } = INPUT;
  const state = {
    run_id: 'jokes',
    run_uri: `s3://${BUCKET}/runs/jokes`,
    bucket: BUCKET,
    slices_key: 'runs/jokes/slices.json',
    map_results_prefix: 'working/jokes/map-results',
    prepare_concurrency: 1,
    max_concurrent_jobs: 1,
    wave: 0,
  };
  const planned = {
    id: 5,
    timestamp: 1,
    type: 'TaskStateExited',
    stateExitedEventDetails: { name: 'Plan', output: JSON.stringify(state) },
  };
  const { starting, names } = await start({
    ListExecutions: listed(['3ff0c5a2', 'RUNNING'], ['b52c', 'SUCCEEDED']),
    DescribeExecution: ({ body }) =>
      execution({
        input: JSON.stringify(String(body.executionArn).endsWith('b52c') ? { run_id: 'other' } : nameless),
      }),
    GetExecutionHistory: { body: { events: [planned] } },
  });
  expect(await starting).toMatchObject({ executionName: '3ff0c5a2', joined: true });
  expect(names()).toEqual([]);
});

test('one that is working on the run with another input is not joined', async () => {
  const { starting } = await start({
    ListExecutions: listed(['jokes', 'RUNNING']),
    DescribeExecution: execution({ input: JSON.stringify({ ...INPUT, prompt_template: 'Sing {name}' }) }),
  });
  await expect(starting).rejects.toThrow(
    'The execution jokes is working on run "jokes" with another input: prompt_template differ. Give another run_id, or the same input to follow it.',
  );
});

test('the first of many pages of executions is not the last', async () => {
  const { starting } = await start({
    ListExecutions: [{ body: { ...NONE.body, nextToken: 'more' } }, listed(['jokes', 'RUNNING'])],
    DescribeExecution: execution({ input: JSON.stringify(INPUT) }),
  });
  expect(await starting).toMatchObject({ executionName: 'jokes', joined: true });
});

test('a Hugging Face dataset without a run_id is named after its input until Plan names it', async () => {
  const { s3_uri: _, run_id: __, ...rest } = INPUT;
  const script = { ListExecutions: NONE, StartExecution: STARTED };
  const { starting, names } = await start(script, { input: { ...rest, dataset_id: 'a/b' } });
  expect(await starting).toMatchObject({ runId: undefined });
  expect(names()).toEqual([expect.stringMatching(/^run_i[0-9a-f]{10}$/)]);
});

test('a deployment that is not ready starts nothing', async () => {
  const { starting, double } = await start(
    {},
    { problems: [{ message: 'It is being updated.', blocksStart: true }] },
  );
  await expect(starting).rejects.toThrow('It is being updated.');
  expect(double.calls).toEqual([]);
});

test('an input that Plan would refuse starts nothing', async () => {
  const misspelt = await start({}, { input: { ...INPUT, max_record: 5 } });
  await expect(misspelt.starting).rejects.toThrow('"max_record" is not a key of a run input');
  const long = await start({}, { input: { ...INPUT, system_prompt: 'x'.repeat(300_000) } });
  await expect(long.starting).rejects.toThrow(
    /The run input has \d+ bytes; Step Functions takes 262144 at most/,
  );
  const nowhere = await start({}, { input: { ...INPUT, s3_uri: `s3://${BUCKET}/none.csv` } });
  await expect(nowhere.starting).rejects.toThrow('There is no object');
  expect(nowhere.double.calls).toEqual([]);
});

test('a refused start names the right', async () => {
  const { starting } = await start({
    ListExecutions: NONE,
    StartExecution: jsonError(
      'AccessDeniedException',
      'User: a is not authorized to perform: states:StartExecution on resource: m',
    ),
  });
  await expect(starting).rejects.toThrow(
    /^Could not start the execution jokes: .* Allow states:StartExecution\.$/,
  );
});

const PROFILE = 'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123';

test('what an application inference profile is of is asked, so that the run has its name', async () => {
  const { run_id: _, ...input } = { ...INPUT, model_id: PROFILE };
  const { starting, names } = await start({ ListExecutions: NONE, StartExecution: STARTED }, { input });
  const { runId } = await starting;
  expect(runId).toMatch(/^run-[0-9a-f]{10}$/);
  expect(names()).toEqual([runId]);
  const gone = await start({}, { input: { ...input, model_id: PROFILE.replace('abc123', 'gone') } });
  await expect(gone.starting).rejects.toThrow(
    `There is no inference profile ${PROFILE.replace('abc123', 'gone')} in us-east-1.`,
  );
});

test('where the caller may not ask what a profile is of, Plan does', async () => {
  const { target, double } = await openDeployedDouble({ ListExecutions: NONE, StartExecution: STARTED });
  const account = {
    ...target.account,
    modelBehind: () => Promise.reject(new AccessDeniedError('You may not.')),
  };
  const input = { ...INPUT, model_id: PROFILE };
  expect(await startRun(input, { ...target, account })).toMatchObject({ runId: 'jokes', joined: false });
  expect(double.calls.map(({ action }) => action)).toContain('StartExecution');
});
