import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createVirtualClock } from '../../../src/core/clock.ts';
import type { MapState, State, States } from '../../../src/engine/definition/amazon-states-language.ts';
import { run, states } from '../run.ts';

const oneTask: States = { StartAt: 'Each', States: { Each: { Type: 'Task', Resource: 'each', End: true } } };

function inlineMap(fields: Omit<Partial<MapState>, 'Next' | 'End'> = {}, processor: States = oneTask) {
  return states({
    M: {
      Type: 'Map',
      ItemProcessor: { ...processor, ProcessorConfig: { Mode: 'INLINE' } },
      ...fields,
      End: true,
    },
  });
}

describe('an inline Map', () => {
  test('runs its states for each item of the input, and gives the outputs as an array', async () => {
    const { result, calls } = await run(inlineMap(), { input: [1, 2, 3] });
    expect(result).toMatchObject({ status: 'SUCCEEDED', output: [1, 2, 3] });
    expect(calls.map(({ executionName }) => executionName)).toEqual(['test', 'test', 'test']);
    expect((await run(inlineMap(), { input: [] })).result).toMatchObject({ output: [] });
  });

  test('takes its items from ItemsPath and makes inputs of them by ItemSelector', async () => {
    const definition = inlineMap({
      InputPath: '$.in',
      ItemsPath: '$.items',
      ItemSelector: {
        'value.$': '$$.Map.Item.Value',
        'index.$': '$$.Map.Item.Index',
        'shared.$': '$.shared',
        'of.$': 'States.ArrayLength($.items)',
        'state.$': '$$.State.Name',
      },
      ResultPath: '$.out',
    });
    const { result } = await run(definition, { input: { in: { items: ['a', 'b'], shared: 's' } } });
    expect(result).toMatchObject({
      output: {
        in: { shared: 's' },
        out: [
          { value: 'a', index: 0, shared: 's', of: 2, state: 'M' },
          { value: 'b', index: 1, shared: 's', of: 2, state: 'M' },
        ],
      },
    });
  });

  test('shows its states the item in the context object', async () => {
    const processor: States = {
      StartAt: 'P',
      States: {
        P: {
          Type: 'Pass',
          Parameters: { 'i.$': '$$.Map.Item.Index', 'v.$': '$$.Map.Item.Value' },
          End: true,
        },
      },
    };
    expect((await run(inlineMap({}, processor), { input: ['a', 'b'] })).result).toMatchObject({
      output: [
        { i: 0, v: 'a' },
        { i: 1, v: 'b' },
      ],
    });
  });

  test('fails with States.Runtime where its items are no array', async () => {
    expect((await run(inlineMap(), { input: { a: 1 } })).result).toMatchObject({
      status: 'FAILED',
      error: 'States.Runtime',
      cause: expect.stringContaining('must lead to an array'),
    });
  });

  test('fails with the error of the first iteration that does, and ends the others', async () => {
    const processor: States = {
      StartAt: 'Which?',
      States: {
        'Which?': {
          Type: 'Choice',
          Choices: [{ Variable: '$', NumericEquals: 1, Next: 'Bad' }],
          Default: 'Long',
        },
        Bad: { Type: 'Fail', Error: 'Bad', Cause: 'one' },
        Long: { Type: 'Wait', Seconds: 100, End: true },
      },
    };
    const { result, tookMs, events } = await run(inlineMap({ MaxConcurrency: 2 }, processor), {
      input: [0, 1, 2],
    });
    expect(result).toMatchObject({ status: 'FAILED', error: 'Bad', cause: 'one' });
    expect(tookMs).toBe(0);
    expect(events.filter(({ type }) => type.startsWith('Map')).map(({ type }) => type)).toEqual([
      'MapStateEntered',
      'MapStateStarted',
      'MapIterationStarted',
      'MapIterationStarted',
      'MapIterationFailed',
      'MapIterationAborted',
      'MapStateFailed',
    ]);
  });

  test('ends ABORTED, without failed iterations, when the execution is aborted', async () => {
    const controller = new AbortController();
    const processor: States = {
      StartAt: 'Long',
      States: { Long: { Type: 'Wait', Seconds: 100, End: true } as State },
    };
    const { result, events } = await run(inlineMap({}, processor), {
      input: [1, 2],
      signal: controller.signal,
      onEvent: ({ type }) => {
        if (type === 'WaitStateEntered') queueMicrotask(() => controller.abort(new Error('stop')));
      },
    });
    expect(result.status).toBe('ABORTED');
    expect(events.at(-1)?.type).toBe('ExecutionAborted');
    expect(events.map(({ type }) => type)).not.toContain('MapIterationFailed');
  });

  test('as a whole may not give more than 256 KiB', async () => {
    const { result } = await run(inlineMap(), { input: [1, 2, 3], runTask: async () => 'x'.repeat(100_000) });
    expect(result).toMatchObject({ status: 'FAILED', error: 'States.DataLimitExceeded' });
  });

  test('may be nested', async () => {
    const outer: States = {
      StartAt: 'Inner',
      States: {
        Inner: {
          Type: 'Map',
          ItemProcessor: oneTask,
          ItemSelector: { 'v.$': '$$.Map.Item.Value', 'i.$': '$$.Map.Item.Index' },
          End: true,
        },
      },
    };
    const { result } = await run(inlineMap({}, outer), { input: [['a'], ['b', 'c']] });
    expect(result).toMatchObject({
      output: [
        [{ v: 'a', i: 0 }],
        [
          { v: 'b', i: 0 },
          { v: 'c', i: 1 },
        ],
      ],
    });
  });
});

describe('MaxConcurrency of an inline Map', () => {
  /** Tasks of the given lengths, and how many were under way at once. */
  function measuring(delays: readonly number[]) {
    const clock = createVirtualClock();
    const seen = { underWay: 0, most: 0 };
    const runTask = async ({ parameters }: { parameters: unknown }) => {
      seen.underWay += 1;
      seen.most = Math.max(seen.most, seen.underWay);
      await clock.sleep(delays[Number(parameters)] ?? 0);
      seen.underWay -= 1;
      return `result ${parameters}`;
    };
    // Time moves on while tasks run, so that they overlap.
    return { seen, runTask, clock: { ...clock, busy: <T>(work: () => Promise<T>) => work() } };
  }

  test('is never exceeded and always used, and results come in the order of the items', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 0, max: 50 }),
        async (delays, MaxConcurrency) => {
          const { seen, ...measured } = measuring(delays);
          const input = delays.map((_, index) => index);
          const { result } = await run(inlineMap({ MaxConcurrency }), { input, ...measured });
          expect(result).toMatchObject({ output: input.map((index) => `result ${index}`) });
          expect(seen.most).toBe(Math.min(MaxConcurrency || 40, 40, delays.length));
        },
      ),
      { numRuns: 60 },
    );
  });

  test('may come from the input by MaxConcurrencyPath', async () => {
    const { seen, ...measured } = measuring([1, 1, 1, 1]);
    const definition = inlineMap({ ItemsPath: '$.items', MaxConcurrencyPath: '$.limit' });
    await run(definition, { input: { items: [0, 1, 2, 3], limit: 3 }, ...measured });
    expect(seen.most).toBe(3);
  });

  test.each([
    [{}, 'The MaxConcurrencyPath field refers to value "{}" which is not a valid integer: $.limit'],
    ['No', 'The MaxConcurrencyPath field refers to value "No" which is not a valid integer: $.limit'],
    [-1, 'MaxConcurrency cannot be negative.'],
  ])('may not be %j from the input: %s', async (limit, cause) => {
    const definition = inlineMap({ ItemsPath: '$.items', MaxConcurrencyPath: '$.limit' });
    const { result, events } = await run(definition, { input: { items: [0], limit } });
    expect(result).toMatchObject({
      error: 'States.Runtime',
      cause: `An error occurred while executing the state 'M' (entered at the event id #2). ${cause}`,
    });
    expect(events.map(({ type }) => type)).not.toContain('MapStateStarted');
  });
});
