import { expect, test } from 'vitest';
import type { RunEvent } from '../../../src/core/run/run-event.ts';
import { type FollowOptions, followRun } from '../../../src/targets/aws/follow-execution.ts';
import { type DoubleScript, jsonError } from '../../support/aws-double.ts';
import { EXECUTION_ARN, execution, openDeployedDouble } from '../../support/deployed-double.ts';

const NO_EVENTS = { body: { events: [] } };
const DENIED = jsonError(
  'AccessDeniedException',
  'User: a is not authorized to perform: states:GetExecutionHistory on resource: x',
);
const EXPIRED = jsonError('ExpiredTokenException', 'The security token included in the request is expired');
const THROTTLED = jsonError('ThrottlingException', 'Rate exceeded');
const FAILED = execution({
  status: 'FAILED',
  error: 'InvalidDatasetError',
  cause: '{"errorMessage":"It is empty."}',
});

async function follow(script: DoubleScript, options: Partial<FollowOptions> = {}) {
  const { target, double } = await openDeployedDouble({ GetExecutionHistory: NO_EVENTS, ...script });
  const told: RunEvent[] = [];
  const notices: string[] = [];
  const following = followRun(EXECUTION_ARN, {
    target,
    onProgress: (progress) => told.push(progress),
    onNotice: (notice) => notices.push(notice),
    ...options,
  });
  return { following, told, notices, double, target };
}

test('a failed execution ends with its error and the message in its cause', async () => {
  const { following } = await follow({ DescribeExecution: [execution(), FAILED] });
  expect(await following).toEqual({
    kind: 'failed',
    error: 'InvalidDatasetError',
    message: 'It is empty.',
    runId: 'jokes',
  });
});

test('states are told once each, whatever the history’s pages', async () => {
  const event = (id: number, name: string) => ({
    id,
    timestamp: 1_790_000_000,
    type: 'TaskStateEntered',
    stateEnteredEventDetails: { name },
  });
  const pages = [
    { body: { events: [event(3, 'Dispatch'), event(2, 'Prepare')], nextToken: 'more' } },
    { body: { events: [event(1, 'Plan')] } },
    {
      body: { events: [event(4, 'Run jobs'), event(3, 'Dispatch'), event(2, 'Prepare')], nextToken: 'more' },
    },
  ];
  const { following, told, double } = await follow({
    DescribeExecution: [execution(), execution(), FAILED],
    GetExecutionHistory: [...pages, NO_EVENTS],
  });
  await following;
  expect(told).toEqual(
    ['Plan', 'Prepare', 'Dispatch', 'Run jobs'].map((state) => ({ kind: 'state_entered', state })),
  );
  const asked = double.calls.filter(({ action }) => action === 'GetExecutionHistory');
  // The second look stops at the event that it knows.
  expect(asked.map(({ body }) => body.nextToken)).toEqual([undefined, 'more', undefined, undefined]);
});

test('throttling and hiccups are waited out', async () => {
  const down = { status: 503, body: '' };
  const { following } = await follow({
    DescribeExecution: [THROTTLED, execution(), THROTTLED, down, THROTTLED, FAILED],
  });
  expect(await following).toMatchObject({ kind: 'failed', error: 'InvalidDatasetError' });
});

test('after a quarter of an hour of them nobody follows any more, and the execution goes on', async () => {
  const { following, target, double } = await follow({ DescribeExecution: [execution(), THROTTLED] });
  const startedAt = target.clock.now();
  const result = await following;
  expect(result).toMatchObject({
    kind: 'detached',
    runId: 'jokes',
    fault: { name: 'ServiceUnavailableError' },
  });
  expect(double.calls.filter(({ action }) => action === 'DescribeExecution')).toHaveLength(21);
  expect(target.clock.now() - startedAt).toBeGreaterThan(10 * 60_000);
});

test('credentials that expire while we follow leave the execution alone, and say so', async () => {
  const { following } = await follow({ DescribeExecution: [execution(), EXPIRED] });
  const result = await following;
  expect(result).toMatchObject({
    kind: 'detached',
    runId: 'jokes',
    fault: {
      name: 'CredentialsError',
      message: expect.stringContaining('The credentials have expired: sign in again.'),
    },
  });
});

test('credentials that expire in the middle of a look are no missing right', async () => {
  const { following, notices } = await follow({
    DescribeExecution: execution(),
    GetExecutionHistory: [NO_EVENTS, EXPIRED],
  });
  expect(await following).toMatchObject({ kind: 'detached', fault: { name: 'CredentialsError' } });
  expect(notices).toEqual([]);
});

test('a right that is missing from the start is an error that names it', async () => {
  const denied = jsonError('AccessDeniedException', 'No.');
  const { following } = await follow({ DescribeExecution: denied });
  await expect(following).rejects.toThrow(
    `Could not look at the execution ${EXECUTION_ARN}: No. Allow states:DescribeExecution.`,
  );
});

test('what may not be seen is told once, and the execution is followed without it', async () => {
  const { following, notices } = await follow({
    DescribeExecution: [execution(), execution(), FAILED],
    GetExecutionHistory: DENIED,
  });
  expect(await following).toMatchObject({ kind: 'failed', runId: 'jokes' });
  expect(notices).toEqual([
    expect.stringMatching(/^The phases cannot be shown\. .* Allow states:GetExecutionHistory\.$/),
  ]);
});

test('an execution that is not there is said to be so', async () => {
  const { following } = await follow({
    DescribeExecution: jsonError('ExecutionDoesNotExist', 'Execution Does Not Exist'),
  });
  await expect(following).rejects.toThrow(/Could not look at the execution .*: Execution Does Not Exist\./);
});

test('an execution that was stopped, or took too long, says how to go on', async () => {
  const stopped = await follow({
    DescribeExecution: execution({ status: 'ABORTED', error: 'RunCancelled', cause: 'quarry cancel --now' }),
  });
  expect(await stopped.following).toEqual({
    kind: 'failed',
    error: 'ExecutionAborted',
    message:
      'The execution jokes was stopped from outside (quarry cancel --now). What was collected is kept, and jobs that still run go on. To collect their results and continue, start the run again.',
    runId: 'jokes',
  });
  const late = await follow({ DescribeExecution: execution({ status: 'TIMED_OUT' }) });
  expect(await late.following).toMatchObject({
    error: 'States.Timeout',
    message: expect.stringContaining('exceeded its time limit'),
  });
});

const MAP_FAILED = execution({
  status: 'FAILED',
  error: 'States.ExceedToleratedFailureThreshold',
  cause: 'The specified tolerated failure threshold was exceeded',
});

test('a Map state that failed is explained by the first of its children that did', async () => {
  const { following, double } = await follow({
    DescribeExecution: ({ body }) =>
      body.executionArn === 'child-arn'
        ? execution({ status: 'FAILED', error: 'InvalidDatasetError', cause: '{"errorMessage":"Line 7."}' })
        : MAP_FAILED,
    ListMapRuns: {
      body: {
        mapRuns: [
          { mapRunArn: 'first-arn', executionArn: EXECUTION_ARN, stateMachineArn: 'm', startDate: 1 },
          { mapRunArn: 'second-arn', executionArn: EXECUTION_ARN, stateMachineArn: 'm', startDate: 2 },
        ],
      },
    },
    ListExecutions: {
      body: {
        executions: [
          { executionArn: 'child-arn', stateMachineArn: 'm', name: 'c', status: 'FAILED', startDate: 2 },
        ],
      },
    },
  });
  expect(await following).toMatchObject({ error: 'InvalidDatasetError', message: 'Line 7.' });
  expect(double.calls.find(({ action }) => action === 'ListExecutions')?.body).toMatchObject({
    mapRunArn: 'second-arn',
    statusFilter: 'FAILED',
  });
});

test.each<[string, DoubleScript]>([
  ['may not be listed', { ListMapRuns: jsonError('AccessDeniedException', 'No.') }],
  ['are none', { ListMapRuns: { body: { mapRuns: [] } } }],
])('where the children %s, the execution’s own error is told', async (_, script) => {
  const { following } = await follow({ DescribeExecution: MAP_FAILED, ...script });
  expect(await following).toMatchObject({
    error: 'States.ExceedToleratedFailureThreshold',
    message: 'The specified tolerated failure threshold was exceeded',
  });
});

test('an aborted look ends at once, though AWS does not answer', async () => {
  const abort = new AbortController();
  const { following } = await follow(
    {
      DescribeExecution: () => {
        abort.abort(new Error('Interrupted.'));
        return new Promise(() => {});
      },
    },
    { signal: abort.signal },
  );
  expect(await following).toEqual({ kind: 'detached', runId: undefined, fault: undefined });
});

test('an execution without the summary that it speaks of is an error, not a detachment', async () => {
  const { following } = await follow({
    DescribeExecution: [execution(), execution({ status: 'SUCCEEDED', output: '{"run_id":"jokes"}' })],
  });
  await expect(following).rejects.toThrow(
    /the-bucket\/runs\/jokes\/summary\.json is damaged: it should be .*, and it is not there\./,
  );
});
