import { describe, expect, test } from 'vitest';
import { createVirtualClock } from '../../../src/core/clock.ts';
import type { Retrier, TaskState } from '../../../src/engine/definition/amazon-states-language.ts';
import { run, states } from '../run.ts';

const LAMBDA = 'arn:aws:states:::lambda:invoke';
const FUNCTION = 'arn:aws:lambda:us-east-1:123456789012:function:work';
const SDK = 'arn:aws:states:::aws-sdk:bedrock:getModelInvocationJob';

function task(fields: Omit<Partial<TaskState>, 'Next' | 'End'> = {}) {
  return states({ Work: { Type: 'Task', Resource: LAMBDA, ...fields, End: true } });
}

/** A clock that does not stand still for tasks, so that a task can be too slow. */
function impatientClock() {
  return { ...createVirtualClock(), busy: <T>(work: () => Promise<T>) => work() };
}

describe('what a task gets', () => {
  test('is the whole input without Parameters', async () => {
    const { calls } = await run(task(), { input: { a: 1 } });
    expect(calls[0]?.parameters).toEqual({ a: 1 });
  });

  test('is what InputPath selects, through Parameters', async () => {
    const { calls } = await run(
      task({
        InputPath: '$.inner',
        Parameters: {
          fixed: { deep: ['x', 1, null] },
          'chosen.$': '$.a',
          nested: { 'list.$': '$.b[*].c', items: [{ 'a.$': '$.a' }, 'plain'] },
          'text.$': "States.Format('a is {}', $.a)",
          'who.$': '$$.Execution.Name',
        },
      }),
      { input: { inner: { a: 1, b: [{ c: 2 }, { c: 3 }] } } },
    );
    expect(calls[0]?.parameters).toEqual({
      fixed: { deep: ['x', 1, null] },
      chosen: 1,
      nested: { list: [2, 3], items: [{ a: 1 }, 'plain'] },
      text: 'a is 1',
      who: 'test',
    });
  });

  test('is a copy, so that it cannot change what other states see', async () => {
    const { result } = await run(task({ ResultPath: '$.result' }), {
      input: { list: [1] },
      runTask: async ({ parameters }) => {
        (parameters as { list: number[] }).list.push(2);
        return 'ok';
      },
    });
    expect(result).toMatchObject({ output: { list: [1], result: 'ok' } });
  });

  test('comes with its resource, the names of state and execution, and a signal', async () => {
    const { calls } = await run(task({ Resource: SDK }));
    expect(calls[0]).toMatchObject({ resource: SDK, stateName: 'Work', executionName: 'test' });
    expect(calls[0]?.signal).toBeInstanceOf(AbortSignal);
  });
});

describe('what becomes of a result', () => {
  const runTask = async () => ({ Payload: { n: 1 }, StatusCode: 200 });

  test('replaces the input by default', async () => {
    const { result } = await run(task(), { input: { a: 1 }, runTask });
    expect(result).toMatchObject({ output: { Payload: { n: 1 }, StatusCode: 200 } });
  });

  test('goes through ResultSelector, to ResultPath, through OutputPath', async () => {
    const fields = { ResultSelector: { 'n.$': '$.Payload.n', kind: 'x' }, ResultPath: '$.in.out' };
    const input = { a: 1, in: { b: 2 } };
    expect((await run(task(fields), { input, runTask })).result).toMatchObject({
      output: { a: 1, in: { b: 2, out: { n: 1, kind: 'x' } } },
    });
    expect(
      (await run(task({ ...fields, OutputPath: '$.in.out.n' }), { input, runTask })).result,
    ).toMatchObject({
      output: 1,
    });
  });

  test('is placed into the raw input, not into what InputPath selected', async () => {
    const { result } = await run(task({ InputPath: '$.inner', ResultPath: '$.result' }), {
      input: { inner: { a: 1 }, other: 2 },
    });
    expect(result).toMatchObject({ output: { inner: { a: 1 }, other: 2, result: { a: 1 } } });
  });

  test('is dropped where ResultPath is null, and an empty object where InputPath or OutputPath is', async () => {
    expect((await run(task({ ResultPath: null }), { input: { a: 1 }, runTask })).result).toMatchObject({
      output: { a: 1 },
    });
    const { result, calls } = await run(task({ InputPath: null, OutputPath: null }), {
      input: { a: 1 },
      runTask,
    });
    expect(result).toMatchObject({ output: {} });
    expect(calls[0]?.parameters).toEqual({});
  });

  test('is what JSON keeps of it', async () => {
    const { result } = await run(task(), { runTask: async () => ({ at: new Date(0), gone: undefined }) });
    expect(result).toMatchObject({ output: { at: '1970-01-01T00:00:00.000Z' } });
    expect((await run(task(), { runTask: async () => undefined })).result).toMatchObject({ output: null });
  });

  test('fails with States.ResultPathMatchFailure where the input has no room for it, which can be caught', async () => {
    const { result } = await run(task({ ResultPath: '$.a' }), { input: [1], runTask });
    expect(result).toMatchObject({ status: 'FAILED', error: 'States.ResultPathMatchFailure' });
  });
});

describe('a path that leads nowhere', () => {
  const NOT_FOUND =
    "The JSONPath '$.missing' specified for the field 'x.$' could not be found in the input '{\"there\":1}'";
  const NO_RESULTS = "Invalid path '$.missing' : No results for path: $['missing']";

  test.each<[string, Partial<TaskState>, string]>([
    ['Parameters', { Parameters: { 'x.$': '$.missing' } }, NOT_FOUND],
    ['ResultSelector', { ResultSelector: { 'x.$': '$.missing' } }, NOT_FOUND],
    ['InputPath', { InputPath: '$.missing' }, NO_RESULTS],
    ['OutputPath', { OutputPath: '$.missing' }, NO_RESULTS],
    [
      'OutputPath',
      { OutputPath: '$.no.such.path' },
      "Invalid path '$.no.such.path' : Missing property in path $['no']",
    ],
    ['TimeoutSecondsPath', { TimeoutSecondsPath: '$.missing' }, NO_RESULTS],
  ])(
    'in %s ends the execution with States.Runtime in the words of Step Functions',
    async (_, fields, cause) => {
      const { result } = await run(task(fields), { input: { there: 1 } });
      expect(result).toMatchObject({
        status: 'FAILED',
        error: 'States.Runtime',
        cause: `An error occurred while executing the state 'Work' (entered at the event id #2). ${cause}`,
      });
    },
  );
});

describe('an error of a task', () => {
  const failWith = (error: unknown) => async () => {
    throw error;
  };
  const named = (name: string, message: string, options?: ErrorOptions) =>
    Object.assign(new Error(message, options), { name });

  test('is known by its name; of a Lambda function the cause is JSON with errorType and errorMessage', async () => {
    const { result } = await run(task(), { runTask: failWith(named('InvalidInput', 'no such column')) });
    expect(result).toMatchObject({ status: 'FAILED', error: 'InvalidInput' });
    expect(JSON.parse('cause' in result ? String(result.cause) : '')).toEqual({
      errorType: 'InvalidInput',
      errorMessage: 'no such column',
    });
  });

  test('of another service has the message as its cause', async () => {
    const error = named('Bedrock.ThrottlingException', 'slow down');
    const { result } = await run(task({ Resource: SDK }), { runTask: failWith(error) });
    expect(result).toMatchObject({ error: 'Bedrock.ThrottlingException', cause: 'slow down' });
  });

  test('has the cause it brings, where that is a text', async () => {
    const { result } = await run(task(), { runTask: failWith(named('E', 'm', { cause: 'the very text' })) });
    expect(result).toMatchObject({ error: 'E', cause: 'the very text' });
  });

  test('that is no Error is States.TaskFailed', async () => {
    const { result } = await run(task(), { runTask: failWith('just text') });
    expect(result).toMatchObject({ error: 'States.TaskFailed', cause: 'just text' });
  });

  test('thrown before there is a promise is no different', async () => {
    const runTask = () => {
      throw named('Sync', 'at once');
    };
    expect((await run(task({ TimeoutSeconds: 5 }), { runTask })).result).toMatchObject({ error: 'Sync' });
  });
});

describe('TimeoutSeconds', () => {
  const hanging = () => new Promise(() => {});

  test('fails a task that takes longer with States.Timeout, and aborts its signal', async () => {
    const { result, calls, tookMs, events } = await run(task({ TimeoutSeconds: 7 }), {
      runTask: hanging,
      clock: impatientClock(),
    });
    expect(result).toMatchObject({ status: 'FAILED', error: 'States.Timeout' });
    expect(result).not.toHaveProperty('cause');
    expect(events.find(({ type }) => type === 'TaskTimedOut')).not.toHaveProperty('cause');
    expect(tookMs).toBe(7000);
    expect(calls[0]?.signal.aborted).toBe(true);
    expect(events.map(({ type }) => type)).toContain('TaskTimedOut');
  });

  test('gives a catcher an empty Cause', async () => {
    const definition = states({
      Work: {
        Type: 'Task',
        Resource: LAMBDA,
        TimeoutSeconds: 7,
        Catch: [{ ErrorEquals: ['States.Timeout'], Next: 'Caught' }],
        End: true,
      },
      Caught: { Type: 'Succeed' },
    });
    const { result } = await run(definition, { runTask: hanging, clock: impatientClock() });
    expect(result).toMatchObject({ output: { Error: 'States.Timeout', Cause: '' } });
  });

  test('may come from the input', async () => {
    const definition = task({ TimeoutSecondsPath: '$.limit' });
    const { tookMs } = await run(definition, {
      input: { limit: 3 },
      runTask: hanging,
      clock: impatientClock(),
    });
    expect(tookMs).toBe(3000);
    for (const limit of ['3', 0, -1, 1.5, null, 100_000_000])
      expect((await run(definition, { input: { limit } })).result).toMatchObject({ error: 'States.Runtime' });
  });

  test('holds for each attempt, and Retry may take it', async () => {
    const Retry: Retrier[] = [
      { ErrorEquals: ['States.Timeout'], MaxAttempts: 2, IntervalSeconds: 1, BackoffRate: 1 },
    ];
    const { calls, tookMs } = await run(task({ TimeoutSeconds: 10, Retry }), {
      runTask: hanging,
      clock: impatientClock(),
    });
    expect(calls).toHaveLength(3);
    expect(tookMs).toBe(32_000);
  });

  test('leaves no timer behind: time does not move for a task that is quick enough', async () => {
    const clock = createVirtualClock();
    const { result, tookMs } = await run(task({ TimeoutSeconds: 60 }), { clock });
    expect(result.status).toBe('SUCCEEDED');
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(tookMs).toBe(0);
    expect(clock.now()).toBe(Date.UTC(2026, 0, 1));
  });
});

describe('the 256 KiB limit', () => {
  // A JSON text of exactly so many bytes.
  const text = (bytes: number, unit = 'x') => unit.repeat((bytes - 2) / Buffer.byteLength(unit));

  test('is 262,144 bytes of UTF-8 for a result', async () => {
    expect((await run(task(), { runTask: async () => text(262_144) })).result.status).toBe('SUCCEEDED');
    expect((await run(task(), { runTask: async () => text(262_145) })).result).toMatchObject({
      status: 'FAILED',
      error: 'States.DataLimitExceeded',
      cause:
        "The state/task 'lambda' returned a result with a size exceeding the maximum number of bytes service limit.",
    });
    expect((await run(task(), { runTask: async () => text(262_144, 'é') })).result.status).toBe('SUCCEEDED');
    expect((await run(task(), { runTask: async () => text(262_146, 'é') })).result.status).toBe('FAILED');
  });

  test('is for outputs too, which a ResultPath can make larger than the result', async () => {
    const { result } = await run(task({ ResultPath: '$.result' }), {
      input: { big: text(200_000) },
      runTask: async () => text(100_000),
    });
    expect(result).toMatchObject({ error: 'States.DataLimitExceeded' });
  });

  test('is for the input of an execution and for the parameters of a task', async () => {
    expect((await run(task(), { input: text(262_145) })).result).toMatchObject({
      error: 'States.DataLimitExceeded',
    });
    const { result, calls } = await run(task({ Parameters: { 'a.$': '$', 'b.$': '$' } }), {
      input: text(150_000),
    });
    expect(result).toMatchObject({ error: 'States.DataLimitExceeded' });
    expect(calls).toEqual([]);
  });

  test.each([
    [LAMBDA, 'lambda'],
    [SDK, 'aws-sdk:bedrock'],
    [FUNCTION, FUNCTION],
    ['my-task', 'my-task'],
  ])('of a result of %s is told with the name %s', async (Resource, name) => {
    const { result } = await run(task({ Resource }), { runTask: async () => text(300_000) });
    expect(result).toMatchObject({
      error: 'States.DataLimitExceeded',
      cause: `The state/task '${name}' returned a result with a size exceeding the maximum number of bytes service limit.`,
    });
  });

  const caughtBy = (name: string, fields: object = {}) =>
    states({
      Work: {
        Type: 'Task',
        Resource: 'r',
        ...fields,
        Catch: [{ ErrorEquals: [name], Next: 'C' }],
        End: true,
      },
      C: { Type: 'Pass', Result: 'caught', End: true },
    });

  test('for the result of a task is caught by States.ALL, as the service was recorded to do', async () => {
    const runTask = async () => text(300_000);
    for (const name of ['States.ALL', 'States.DataLimitExceeded'])
      expect((await run(caughtBy(name), { runTask })).result).toMatchObject({ output: 'caught' });
  });

  test('for what a state makes of a result is caught by its own name, and not by States.ALL', async () => {
    const input = { big: text(200_000) };
    const runTask = async () => text(100_000);
    const outcome = async (name: string) =>
      (await run(caughtBy(name, { ResultPath: '$.result' }), { input, runTask })).result;
    expect(await outcome('States.ALL')).toMatchObject({
      status: 'FAILED',
      error: 'States.DataLimitExceeded',
    });
    expect(await outcome('States.DataLimitExceeded')).toMatchObject({ output: 'caught' });
  });
});

describe('a Lambda function that is named by its ARN', () => {
  const historyOf = async (runTask: () => Promise<unknown>) => {
    const { events } = await run(task({ Resource: FUNCTION, TimeoutSeconds: 5 }), {
      input: { a: 1 },
      runTask,
      clock: impatientClock(),
    });
    return events.filter(({ type }) => type.startsWith('Lambda') || type.startsWith('Task'));
  };

  test('has events of its own: scheduled with its input, started, succeeded with its output', async () => {
    const [entered, scheduled, started, succeeded, exited] = await historyOf(async () => 'done');
    expect([entered?.type, exited?.type]).toEqual(['TaskStateEntered', 'TaskStateExited']);
    expect(scheduled).toMatchObject({
      type: 'LambdaFunctionScheduled',
      resource: FUNCTION,
      input: { a: 1 },
      timeoutInSeconds: 5,
    });
    expect(started).toMatchObject({ type: 'LambdaFunctionStarted' });
    expect(succeeded).toMatchObject({ type: 'LambdaFunctionSucceeded', output: 'done' });
  });

  test('fails and times out by events of its own', async () => {
    const failed = await historyOf(async () => {
      throw Object.assign(new Error('m'), { name: 'E' });
    });
    expect(failed.at(-1)).toMatchObject({
      type: 'LambdaFunctionFailed',
      error: 'E',
      cause: '{"errorType":"E","errorMessage":"m"}',
    });
    const timedOut = (await historyOf(() => new Promise(() => {}))).at(-1);
    expect(timedOut).toMatchObject({ type: 'LambdaFunctionTimedOut', error: 'States.Timeout' });
    expect(timedOut).not.toHaveProperty('cause');
  });
});
