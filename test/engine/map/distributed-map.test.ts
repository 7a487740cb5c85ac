import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { State, States } from '../../../src/engine/definition/amazon-states-language.ts';
import { distributedMap, failingFor, run, upTo } from '../run.ts';

describe('a Distributed Map', () => {
  test('gives the outputs of its children in the order of the items', async () => {
    const { result } = await run(distributedMap(), { input: [3, 1, 2], runTask: failingFor() });
    expect(result).toMatchObject({ status: 'SUCCEEDED', output: ['did 3', 'did 1', 'did 2'] });
    expect((await run(distributedMap(), { input: [] })).result).toMatchObject({ output: [] });
  });

  test('runs each child as an execution with a name, a context and a history of its own', async () => {
    const processor: States = {
      StartAt: 'P',
      States: { P: { Type: 'Pass', Parameters: { 'context.$': '$$' }, End: true } },
    };
    const { result, events } = await run(distributedMap({ Label: 'Parts' }, processor), {
      input: ['a', 'b'],
      stateMachineName: 'quarry',
    });
    const names = new Set(events.map(({ executionName }) => executionName));
    names.delete('test');
    expect(names.size).toBe(2);
    for (const name of names) {
      const history = events.filter(({ executionName }) => executionName === name);
      expect(history.map(({ id }) => id)).toEqual([1, 2, 3, 4]);
      expect(history.map(({ type }) => type)).toEqual([
        'ExecutionStarted',
        'PassStateEntered',
        'PassStateExited',
        'ExecutionSucceeded',
      ]);
      expect(history[0]).toMatchObject({ mapRunArn: expect.stringContaining(':mapRun:quarry/Parts:') });
    }
    expect(events.filter(({ executionName }) => executionName === 'test').map(({ type }) => type)).toEqual([
      'ExecutionStarted',
      'MapStateEntered',
      'MapStateStarted',
      'MapRunStarted',
      'MapRunSucceeded',
      'MapStateSucceeded',
      'MapStateExited',
      'ExecutionSucceeded',
    ]);
    const [first] = [...names];
    expect(result).toMatchObject({
      output: [
        {
          context: {
            Execution: {
              Id: `arn:aws:states:local:000000000000:execution:quarry/Parts:${first}`,
              Input: 'a',
              Name: first,
            },
            StateMachine: {
              Id: 'arn:aws:states:local:000000000000:stateMachine:quarry/Parts',
              Name: 'quarry',
            },
          },
        },
        {},
      ],
    });
  });

  test('lets each child have 25,000 events, where an inline Map would share them', async () => {
    // 3,000 laps of 9 events: too many for one child.
    const lap: States = {
      StartAt: 'Get',
      States: {
        Get: { Type: 'Task', Resource: 'get', Next: 'Wait' },
        Wait: { Type: 'Wait', Seconds: 1, Next: 'Ended?' },
        'Ended?': {
          Type: 'Choice',
          Choices: [{ Variable: '$.lap', NumericGreaterThanEqualsPath: '$.laps', Next: 'End' }],
          Default: 'Get',
        },
        End: { Type: 'Succeed' },
      },
    };
    const counting = async ({ parameters }: { parameters: unknown }) => {
      const { laps, lap: done = 0 } = parameters as { laps: number; lap?: number };
      return { laps, lap: done + 1 };
    };
    const { result } = await run(distributedMap({ ToleratedFailureCount: 1 }, lap), {
      input: [{ laps: 2000 }, { laps: 2000 }, { laps: 3000 }],
      runTask: counting,
    });
    expect(result).toMatchObject({
      output: [{ lap: 2000 }, { lap: 2000 }, { Status: 'FAILED', Error: 'States.Runtime' }],
    });
  });

  test('hands 256 KiB to a child and no more', async () => {
    const input = { text: 'x'.repeat(150_000) };
    const definition = distributedMap({
      ItemsPath: '$.none',
      ItemSelector: { 'a.$': '$.text', 'b.$': '$.text' },
    });
    const { result, calls } = await run(definition, { input: { ...input, none: [1] } });
    expect(result).toMatchObject({ status: 'FAILED', error: 'States.DataLimitExceeded' });
    expect(calls).toEqual([]);
  });

  test('without a ResultWriter may not give more than 256 KiB as a whole', async () => {
    const { result } = await run(distributedMap(), {
      input: upTo(3),
      runTask: async () => 'x'.repeat(100_000),
    });
    expect(result).toMatchObject({ status: 'FAILED', error: 'States.DataLimitExceeded' });
  });

  test('never has more than MaxConcurrency children under way', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 12 }),
        async (count, limit) => {
          const processor: States = {
            StartAt: 'W',
            States: { W: { Type: 'Wait', SecondsPath: '$', End: true } as State },
          };
          let underWay = 0;
          let most = 0;
          const { result } = await run(distributedMap({ MaxConcurrency: limit }, processor), {
            input: upTo(count).map((index) => (index * 7) % 11),
            onEvent: ({ type, executionName }) => {
              if (executionName === 'test') return;
              if (type === 'ExecutionStarted') underWay += 1;
              if (type === 'ExecutionSucceeded') underWay -= 1;
              most = Math.max(most, underWay);
            },
          });
          expect(result).toMatchObject({ output: upTo(count).map((index) => (index * 7) % 11) });
          expect(most).toBe(Math.min(limit, count));
        },
      ),
      { numRuns: 40 },
    );
  });

  test('takes turns: six children of ten seconds, two at a time, take thirty', async () => {
    const processor: States = {
      StartAt: 'W',
      States: { W: { Type: 'Wait', Seconds: 10, End: true } as State },
    };
    const definition = distributedMap({ ItemsPath: '$.items', MaxConcurrencyPath: '$.limit' }, processor);
    expect((await run(definition, { input: { items: upTo(6), limit: 2 } })).tookMs).toBe(30_000);
    expect((await run(definition, { input: { items: upTo(6), limit: 0 } })).tookMs).toBe(10_000);
  });

  test('aborted with its execution aborts its children and starts no more', async () => {
    const controller = new AbortController();
    const processor: States = {
      StartAt: 'W',
      States: { W: { Type: 'Wait', Seconds: 10, End: true } as State },
    };
    const { result, events } = await run(distributedMap({ MaxConcurrency: 2 }, processor), {
      input: upTo(5),
      signal: controller.signal,
      onEvent: ({ type, executionName }) => {
        if (type === 'WaitStateEntered' && executionName !== 'test')
          queueMicrotask(() => controller.abort(new Error('stop')));
      },
    });
    expect(result.status).toBe('ABORTED');
    const ofChildren = events.filter(({ executionName }) => executionName !== 'test');
    expect(ofChildren.filter(({ type }) => type === 'ExecutionStarted')).toHaveLength(2);
    expect(ofChildren.filter(({ type }) => type === 'ExecutionAborted')).toHaveLength(2);
    expect(events.map(({ type }) => type)).toContain('MapRunAborted');
  });

  test('may be inside a child of another', async () => {
    const inner = distributedMap(
      {},
      { StartAt: 'Each', States: { Each: { Type: 'Task', Resource: 'each', End: true } } },
    ).States['For each'] as State;
    const outer = distributedMap({}, { StartAt: 'Inner', States: { Inner: inner } });
    const { result } = await run(outer, { input: [[1, 2], [3]], runTask: failingFor() });
    expect(result).toMatchObject({ output: [['did 1', 'did 2'], ['did 3']] });
  });
});

describe('a large Distributed Map', () => {
  test('runs 1,000 children of 20 polls each in five minutes of the clock for each poll', async () => {
    const poll: States = {
      StartAt: 'Wait',
      States: {
        Wait: { Type: 'Wait', Seconds: 300, Next: 'Get' },
        Get: { Type: 'Task', Resource: 'get', ResultPath: '$.polls', TimeoutSeconds: 60, Next: 'Ended?' },
        'Ended?': {
          Type: 'Choice',
          Choices: [{ Variable: '$.polls', NumericEquals: 20, Next: 'End' }],
          Default: 'Wait',
        },
        End: { Type: 'Succeed' },
      },
    };
    const definition = distributedMap({ ItemSelector: { 'n.$': '$$.Map.Item.Value', polls: 0 } }, poll);
    const { result, calls, tookMs } = await run(definition, {
      input: upTo(1000),
      runTask: async ({ parameters }) => (parameters as { polls: number }).polls + 1,
    });
    expect(result.status).toBe('SUCCEEDED');
    expect(calls).toHaveLength(20_000);
    expect(tookMs).toBe(20 * 300_000);
  });
});
