import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Retrier, State } from '../../../src/engine/definition/amazon-states-language.ts';
import { matchesError, nextRetryDelayMs, retryDelaySeconds } from '../../../src/engine/states/retry.ts';
import { distributedMap, run, states } from '../run.ts';

/** A task that throws the named errors in turn, then succeeds. */
function failing(...names: string[]) {
  const left = [...names];
  return async () => {
    const name = left.shift();
    if (name === undefined) return 'done';
    throw Object.assign(new Error(`it was ${name}`), { name });
  };
}

function taskWith(Retry: Retrier[]) {
  return states({
    Work: {
      Type: 'Task',
      Resource: 'arn:aws:states:::lambda:invoke',
      Retry,
      Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'Z' }],
      End: true,
    },
    Z: { Type: 'Succeed' },
  });
}

describe('matching errors', () => {
  test.each<[string[], string, boolean]>([
    [['A', 'B'], 'B', true],
    [['A'], 'AB', false],
    [['States.ALL'], 'Anything', true],
    [['States.ALL'], 'States.Timeout', true],
    [['States.TaskFailed'], 'Anything', true],
    [['States.TaskFailed'], 'States.Timeout', false],
    [['States.Timeout'], 'States.Timeout', true],
    [['States.ALL'], 'States.Runtime', false],
    [['States.Runtime'], 'States.Runtime', false],
    [['States.ALL'], 'States.DataLimitExceeded', false],
    [['States.TaskFailed'], 'States.DataLimitExceeded', false],
    [['States.DataLimitExceeded'], 'States.DataLimitExceeded', true],
  ])('%j takes %s: %s', (errorEquals, error, expected) => {
    expect(matchesError(errorEquals, { error, ofTask: false })).toBe(expected);
  });

  test('States.ALL takes a result of a task that is too large, and nothing else of that name', () => {
    const tooLarge = { error: 'States.DataLimitExceeded', ofTask: true };
    expect(matchesError(['States.ALL'], tooLarge)).toBe(true);
    expect(matchesError(['States.ALL'], { ...tooLarge, ofTask: false })).toBe(false);
    expect(matchesError(['States.ALL'], { error: 'States.Runtime', ofTask: true })).toBe(false);
  });
});

describe('the interval before a retry', () => {
  const series = (retrier: Partial<Retrier>, count: number, random = () => 0.5) =>
    Array.from({ length: count }, (_, retriesMade) =>
      retryDelaySeconds({ ErrorEquals: ['States.ALL'], ...retrier }, { retriesMade, random }),
    );

  test('is 1, 2, 4 seconds unless told otherwise', () => {
    expect(series({}, 3)).toEqual([1, 2, 4]);
  });

  test('grows by BackoffRate: 3, 6, 12 seconds from an IntervalSeconds of 3 at rate 2', () => {
    expect(series({ IntervalSeconds: 3, BackoffRate: 2 }, 3)).toEqual([3, 6, 12]);
    expect(series({ IntervalSeconds: 3, BackoffRate: 1.5 }, 3)).toEqual([3, 4.5, 6.75]);
    expect(series({ IntervalSeconds: 3, BackoffRate: 1 }, 3)).toEqual([3, 3, 3]);
  });

  test('is capped at MaxDelaySeconds', () => {
    expect(series({ IntervalSeconds: 3, MaxDelaySeconds: 5 }, 3)).toEqual([3, 5, 5]);
  });

  test('with FULL jitter is drawn from 0 up to the interval without it', () => {
    expect(series({ IntervalSeconds: 2, JitterStrategy: 'FULL' }, 3)).toEqual([1, 2, 4]);
    expect(series({ IntervalSeconds: 2, JitterStrategy: 'FULL' }, 3, () => 0)).toEqual([0, 0, 0]);
    expect(series({ IntervalSeconds: 2, JitterStrategy: 'NONE' }, 3)).toEqual([2, 4, 8]);
  });

  const retrierArbitrary = fc.record(
    {
      ErrorEquals: fc.constant(['States.ALL']),
      IntervalSeconds: fc.integer({ min: 1, max: 10_000 }),
      BackoffRate: fc.double({ min: 1, max: 10, noNaN: true }),
      MaxDelaySeconds: fc.integer({ min: 1, max: 31_622_399 }),
    },
    { requiredKeys: ['ErrorEquals', 'IntervalSeconds', 'BackoffRate', 'MaxDelaySeconds'] },
  );

  test('never exceeds MaxDelaySeconds, and never shrinks from one retry to the next', () => {
    fc.assert(
      fc.property(retrierArbitrary, fc.integer({ min: 0, max: 400 }), (retrier, retriesMade) => {
        const random = () => 0.999;
        const delay = retryDelaySeconds(retrier, { retriesMade, random });
        expect(delay).toBeGreaterThan(0);
        expect(delay).toBeLessThanOrEqual(retrier.MaxDelaySeconds);
        expect(retryDelaySeconds(retrier, { retriesMade: retriesMade + 1, random })).toBeGreaterThanOrEqual(
          delay,
        );
      }),
    );
  });

  test('with FULL jitter lies in [0, delay], whatever the random number', () => {
    fc.assert(
      fc.property(
        retrierArbitrary,
        fc.integer({ min: 0, max: 400 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (retrier, retriesMade, drawn) => {
          const random = () => drawn;
          const delay = retryDelaySeconds(retrier, { retriesMade, random });
          const jittered = retryDelaySeconds({ ...retrier, JitterStrategy: 'FULL' }, { retriesMade, random });
          expect(jittered).toBeGreaterThanOrEqual(0);
          expect(jittered).toBeLessThanOrEqual(delay);
        },
      ),
    );
  });

  test('is undefined once MaxAttempts retries have been made', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 20 }), (MaxAttempts) => {
        const ledger = { counts: [] };
        const error = { error: { error: 'A', ofTask: true }, random: () => 0 };
        let retries = 0;
        while (nextRetryDelayMs([{ ErrorEquals: ['A'], MaxAttempts }], ledger, error) !== undefined)
          retries += 1;
        expect(retries).toBe(MaxAttempts);
      }),
    );
  });
});

describe('Retry', () => {
  test('waits and tries again until the task succeeds', async () => {
    const { result, calls, tookMs } = await run(taskWith([{ ErrorEquals: ['A'] }]), {
      runTask: failing('A', 'A'),
    });
    expect(result).toMatchObject({ status: 'SUCCEEDED', output: 'done' });
    expect(calls).toHaveLength(3);
    expect(tookMs).toBe(3000);
  });

  test('makes three retries unless told otherwise, and none with MaxAttempts 0', async () => {
    const errors = failing(...Array.from({ length: 10 }, () => 'A'));
    expect((await run(taskWith([{ ErrorEquals: ['A'] }]), { runTask: errors })).calls).toHaveLength(4);
    const never = await run(taskWith([{ ErrorEquals: ['A'], MaxAttempts: 0 }]), { runTask: failing('A') });
    expect(never.calls).toHaveLength(1);
    expect(never.tookMs).toBe(0);
  });

  // The complex retry scenario of the developer guide's page on error handling.
  test('keeps a count for each retrier: ErrorA, ErrorB, ErrorC, ErrorB waits 1, 2 and 5 seconds, then goes to Z', async () => {
    const retriers: Retrier[] = [
      { ErrorEquals: ['ErrorA', 'ErrorB'], IntervalSeconds: 1, BackoffRate: 2, MaxAttempts: 2 },
      { ErrorEquals: ['ErrorC'], IntervalSeconds: 5 },
    ];
    const { result, calls, tookMs, events } = await run(taskWith(retriers), {
      runTask: failing('ErrorA', 'ErrorB', 'ErrorC', 'ErrorB'),
    });
    expect(calls).toHaveLength(4);
    expect(tookMs).toBe(8000);
    const startMs = events[0]?.timestamp ?? 0;
    const scheduled = events.filter(({ type }) => type === 'TaskScheduled');
    expect(scheduled.map(({ timestamp }) => timestamp - startMs)).toEqual([0, 1000, 3000, 8000]);
    expect(result).toMatchObject({ status: 'SUCCEEDED', output: { error: { Error: 'ErrorB' } } });
  });

  test('looks at the retriers in order: one with MaxAttempts 0 before States.ALL excludes its errors', async () => {
    const retriers: Retrier[] = [
      { ErrorEquals: ['Never'], MaxAttempts: 0 },
      { ErrorEquals: ['States.ALL'], MaxAttempts: 5 },
    ];
    expect((await run(taskWith(retriers), { runTask: failing('Other', 'Never') })).calls).toHaveLength(2);
    expect((await run(taskWith(retriers), { runTask: failing('Other', 'Other') })).calls).toHaveLength(3);
  });

  test('begins to count anew at each visit to the state', async () => {
    const definition = states({
      First: {
        Type: 'Task',
        Resource: 'r',
        Retry: [{ ErrorEquals: ['A'], MaxAttempts: 1 }],
        ResultPath: '$.n',
        Next: 'Again?',
      },
      'Again?': {
        Type: 'Choice',
        Choices: [{ Variable: '$.n', NumericGreaterThan: 3, Next: 'End' }],
        Default: 'First',
      },
      End: { Type: 'Succeed' },
    });
    let calls = 0;
    const { result } = await run(definition, {
      runTask: async () => {
        calls += 1;
        if (calls % 2 === 1) throw Object.assign(new Error('x'), { name: 'A' });
        return calls;
      },
    });
    expect(result).toMatchObject({ status: 'SUCCEEDED', output: { n: 4 } });
  });

  test('tells the task how often it was retried', async () => {
    const definition = states({
      Work: {
        Type: 'Task',
        Resource: 'r',
        Parameters: { 'retry.$': '$$.State.RetryCount' },
        Retry: [{ ErrorEquals: ['States.ALL'] }],
        End: true,
      },
    });
    const { calls } = await run(definition, { runTask: failing('A', 'B') });
    expect(calls.map(({ parameters }) => parameters)).toEqual([{ retry: 0 }, { retry: 1 }, { retry: 2 }]);
  });

  test('of a Map or Parallel state is told by the last attempt only', async () => {
    const inner = { StartAt: 'In', States: { In: { Type: 'Fail', Error: 'A' } } } as const;
    const Retry = [{ ErrorEquals: ['A'], MaxAttempts: 2 }];
    const ofState = async (state: State) => {
      const { events } = await run(states({ S: state }), { input: [1] });
      return events.map(({ type }) => type).filter((type) => !/^(Execution|Fail|.*Entered)/.test(type));
    };
    const once = ['MapStateStarted', 'MapIterationStarted', 'MapIterationFailed'];
    expect(await ofState({ Type: 'Map', ItemProcessor: inner, Retry, End: true })).toEqual([
      ...[...once, ...once, ...once],
      'MapStateFailed',
    ]);
    expect(await ofState({ Type: 'Parallel', Branches: [inner], Retry, End: true })).toEqual([
      ...['ParallelStateStarted', 'ParallelStateStarted', 'ParallelStateStarted'],
      'ParallelStateFailed',
    ]);
    const distributed = distributedMap({ Retry: [{ ErrorEquals: ['States.ALL'], MaxAttempts: 2 }] }, inner);
    const { events } = await run(distributed, { input: [1] });
    const ofRuns = events.filter(({ type }) => /^Map.*Failed$/.test(type)).map(({ type }) => type);
    expect(ofRuns).toEqual(['MapRunFailed', 'MapRunFailed', 'MapRunFailed', 'MapStateFailed']);
  });

  test('also runs a whole Map or Parallel state again', async () => {
    const inner = { StartAt: 'In', States: { In: { Type: 'Task', Resource: 'r', End: true } } } as const;
    const Retry = [{ ErrorEquals: ['A'] }];
    const map = states({ M: { Type: 'Map', ItemProcessor: inner, Retry, End: true } });
    expect((await run(map, { input: [1], runTask: failing('A') })).result).toMatchObject({
      output: ['done'],
    });
    const parallel = states({ P: { Type: 'Parallel', Branches: [inner], Retry, End: true } });
    expect((await run(parallel, { runTask: failing('A') })).result).toMatchObject({ output: ['done'] });
  });
});

describe('Catch', () => {
  const caught = (Catch: { ErrorEquals: string[]; ResultPath?: string | null }[]) =>
    states({
      Work: { Type: 'Task', Resource: 'r', Catch: Catch.map((c, i) => ({ ...c, Next: `C${i}` })), End: true },
      ...Object.fromEntries(
        Catch.map((_, i): [string, State] => [
          `C${i}`,
          { Type: 'Pass', Result: i, ResultPath: '$.catcher', End: true },
        ]),
      ),
    });

  test('replaces the input with Error and Cause unless ResultPath says where they go', async () => {
    const { result } = await run(caught([{ ErrorEquals: ['A'] }]), {
      input: { x: 1 },
      runTask: failing('A'),
    });
    expect(result).toMatchObject({ output: { Error: 'A', Cause: 'it was A', catcher: 0 } });
  });

  test('puts them into the raw input at ResultPath', async () => {
    const definition = caught([{ ErrorEquals: ['A'], ResultPath: '$.why.it' }]);
    const { result } = await run(definition, { input: { x: 1 }, runTask: failing('A') });
    expect(result).toMatchObject({
      output: { x: 1, why: { it: { Error: 'A', Cause: 'it was A' } }, catcher: 0 },
    });
  });

  test('drops them where ResultPath is null', async () => {
    const definition = caught([{ ErrorEquals: ['A'], ResultPath: null }]);
    const { result } = await run(definition, { input: { x: 1 }, runTask: failing('A') });
    expect(result).toMatchObject({ output: { x: 1, catcher: 0 } });
  });

  test('takes the first catcher that fits', async () => {
    const definition = caught([{ ErrorEquals: ['A'] }, { ErrorEquals: ['States.ALL'] }]);
    expect((await run(definition, { runTask: failing('A') })).result).toMatchObject({
      output: { catcher: 0 },
    });
    expect((await run(definition, { runTask: failing('B') })).result).toMatchObject({
      output: { catcher: 1 },
    });
  });

  test('leaves an error that no catcher takes to end the execution', async () => {
    const { result } = await run(caught([{ ErrorEquals: ['A'] }]), { runTask: failing('B') });
    expect(result).toMatchObject({ status: 'FAILED', error: 'B', cause: 'it was B' });
  });

  test('never takes States.Runtime, not even by States.ALL', async () => {
    const definition = states({
      Work: {
        Type: 'Task',
        Resource: 'r',
        Parameters: { 'x.$': '$.missing' },
        Retry: [{ ErrorEquals: ['States.ALL'] }],
        Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Caught' }],
        End: true,
      },
      Caught: { Type: 'Succeed' },
    });
    const { result, calls, tookMs } = await run(definition);
    expect(result).toMatchObject({ status: 'FAILED', error: 'States.Runtime' });
    expect(calls).toEqual([]);
    expect(tookMs).toBe(0);
  });
});
