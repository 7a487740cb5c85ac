import { describe, expect, test } from 'vitest';
import { createVirtualClock } from '../../src/core/clock.ts';
import type { State } from '../../src/engine/definition/amazon-states-language.ts';
import { MAX_HISTORY_EVENTS } from '../../src/engine/history.ts';
import { run, states } from './run.ts';

const START = Date.UTC(2026, 0, 1);

describe('an execution', () => {
  test('passes data from state to state and ends with the last output', async () => {
    const { result } = await run(
      states({
        First: { Type: 'Pass', Result: { n: 1 }, ResultPath: '$.first', Next: 'Second' },
        Second: { Type: 'Task', Resource: 'r', Parameters: { 'n.$': '$.first.n' }, Next: 'Third' },
        Third: { Type: 'Wait', Seconds: 5, End: true },
      }),
      { input: { given: true } },
    );
    expect(result).toEqual({
      status: 'SUCCEEDED',
      output: { n: 1 },
      startDate: START,
      stopDate: START + 5000,
    });
  });

  test('uses the names of its state machine in ARNs', async () => {
    const definition = states({ P: { Type: 'Pass', Parameters: { 'id.$': '$$.Execution.Id' }, End: true } });
    const { result } = await run(definition, { stateMachineName: 'quarry' });
    expect(result).toMatchObject({
      output: { id: 'arn:aws:states:local:000000000000:execution:quarry:test' },
    });
  });

  test('runs a definition again and again without sharing anything', async () => {
    const definition = states({ P: { Type: 'Pass', Result: 1, ResultPath: '$.list[0]', End: true } });
    const input = { list: [0] };
    for (let round = 0; round < 3; round += 1)
      expect((await run(definition, { input })).result).toMatchObject({ output: { list: [1] } });
    expect(input).toEqual({ list: [0] });
  });

  test('rejects where the listener for events is broken, and stops', async () => {
    const definition = states({ T: { Type: 'Task', Resource: 'r', End: true } });
    let calls = 0;
    const broken = run(definition, {
      runTask: async () => {
        calls += 1;
      },
      onEvent: ({ type }) => {
        if (type === 'TaskScheduled') throw new Error('disk full');
      },
    });
    await expect(broken).rejects.toThrow('disk full');
    expect(calls).toBe(0);
  });
});

describe('TimeoutSeconds of the machine', () => {
  const waiting = (Seconds: number) => ({
    ...states({ W: { Type: 'Wait', Seconds, End: true } }),
    TimeoutSeconds: 60,
  });

  test('ends the execution as TIMED_OUT', async () => {
    const { result, events } = await run(waiting(61));
    expect(result).toEqual({
      status: 'TIMED_OUT',
      error: 'States.Timeout',
      startDate: START,
      stopDate: START + 60_000,
    });
    expect(events.at(-1)?.type).toBe('ExecutionTimedOut');
  });

  test('does not hold up an execution that ends before', async () => {
    const { result, tookMs } = await run(waiting(59));
    expect(result.status).toBe('SUCCEEDED');
    expect(tookMs).toBe(59_000);
  });

  test('does not wait for a task that never ends, and aborts it', async () => {
    const clock = { ...createVirtualClock(), busy: <T>(work: () => Promise<T>) => work() };
    const definition = { ...states({ T: { Type: 'Task', Resource: 'r', End: true } }), TimeoutSeconds: 60 };
    const { result, calls } = await run(definition, { clock, runTask: () => new Promise(() => {}) });
    expect(result.status).toBe('TIMED_OUT');
    expect(calls[0]?.signal.aborted).toBe(true);
  });
});

describe('aborting an execution', () => {
  const stop = () => Object.assign(new Error('the user asked'), { name: 'Cancelled' });

  test('before it begins runs nothing', async () => {
    const { result, calls } = await run(states({ T: { Type: 'Task', Resource: 'r', End: true } }), {
      signal: AbortSignal.abort(stop()),
    });
    expect(result).toMatchObject({ status: 'ABORTED', error: 'Cancelled', cause: 'the user asked' });
    expect(calls).toEqual([]);
  });

  test('ends waits at once and starts no further state', async () => {
    const controller = new AbortController();
    const definition = states({
      W: { Type: 'Wait', Seconds: 1000, Next: 'T' },
      T: { Type: 'Task', Resource: 'r', End: true },
    });
    const { result, calls, events, tookMs } = await run(definition, {
      signal: controller.signal,
      onEvent: ({ type }) => {
        if (type === 'WaitStateEntered') setImmediate(() => controller.abort(stop()));
      },
      // A clock on which nobody wakes by himself.
      clock: {
        ...createVirtualClock(),
        sleep: (_, signal) =>
          new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason))),
      },
    });
    expect(result.status).toBe('ABORTED');
    expect(calls).toEqual([]);
    expect(tookMs).toBe(0);
    expect(events.at(-1)).toMatchObject({ type: 'ExecutionAborted', error: 'Cancelled' });
  });

  test('reaches running tasks by their signal, and neither Retry nor Catch takes it', async () => {
    const controller = new AbortController();
    const definition = states({
      T: {
        Type: 'Task',
        Resource: 'r',
        TimeoutSeconds: 100,
        Retry: [{ ErrorEquals: ['States.ALL'] }],
        Catch: [{ ErrorEquals: ['States.ALL'], Next: 'C' }],
        End: true,
      },
      C: { Type: 'Succeed' },
    });
    const { result, calls } = await run(definition, {
      signal: controller.signal,
      runTask: ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(new Error('the request was cut off')));
          controller.abort(stop());
        }),
    });
    expect(result).toMatchObject({ status: 'ABORTED', error: 'Cancelled' });
    expect(calls).toHaveLength(1);
  });

  test('also ends a retry that is waiting', async () => {
    const controller = new AbortController();
    const definition = states({
      T: {
        Type: 'Task',
        Resource: 'r',
        Retry: [{ ErrorEquals: ['States.ALL'], IntervalSeconds: 1000 }],
        End: true,
      },
    });
    const { result, tookMs } = await run(definition, {
      signal: controller.signal,
      runTask: async () => {
        throw new Error('no');
      },
      onEvent: ({ type }) => {
        if (type === 'TaskFailed') queueMicrotask(() => controller.abort('text'));
      },
    });
    expect(result).toMatchObject({ status: 'ABORTED', error: 'AbortError', cause: 'text' });
    expect(tookMs).toBe(0);
  });
});

describe('history', () => {
  const pollLap: { [name: string]: State } = {
    Wait: { Type: 'Wait', Seconds: 300, Next: 'Get' },
    Get: { Type: 'Task', Resource: 'get', Next: 'Ended?' },
    'Ended?': {
      Type: 'Choice',
      Choices: [{ Variable: '$.done', BooleanEquals: true, Next: 'End' }],
      Default: 'Wait',
    },
    End: { Type: 'Succeed' },
  };

  test('has nine events for a lap of Wait, Task and Choice, each with id, time, execution and state', async () => {
    const { events } = await run(states(pollLap), { runTask: async () => ({ done: true }) });
    expect(events.map(({ id, type, timestamp }) => [id, type, timestamp - START])).toEqual([
      [1, 'ExecutionStarted', 0],
      [2, 'WaitStateEntered', 0],
      [3, 'WaitStateExited', 300_000],
      [4, 'TaskStateEntered', 300_000],
      [5, 'TaskScheduled', 300_000],
      [6, 'TaskStarted', 300_000],
      [7, 'TaskSucceeded', 300_000],
      [8, 'TaskStateExited', 300_000],
      [9, 'ChoiceStateEntered', 300_000],
      [10, 'ChoiceStateExited', 300_000],
      [11, 'SucceedStateEntered', 300_000],
      [12, 'SucceedStateExited', 300_000],
      [13, 'ExecutionSucceeded', 300_000],
    ]);
    expect(events.every(({ executionName }) => executionName === 'test')).toBe(true);
    expect(events[4]).toMatchObject({ stateName: 'Get', resource: 'get', parameters: {} });
    expect(events[12]).toMatchObject({ output: { done: true } });
  });

  test('shows failed attempts and what was caught', async () => {
    const definition = states({
      T: {
        Type: 'Task',
        Resource: 'r',
        Retry: [{ ErrorEquals: ['A'], MaxAttempts: 1 }],
        Catch: [{ ErrorEquals: ['A'], Next: 'F' }],
        End: true,
      },
      F: { Type: 'Fail', Error: 'Bad', Cause: 'why' },
    });
    const { events } = await run(definition, {
      runTask: async () => {
        throw Object.assign(new Error('m'), { name: 'A' });
      },
    });
    expect(events.slice(1).map(({ type }) => type)).toEqual([
      'TaskStateEntered',
      'TaskScheduled',
      'TaskStarted',
      'TaskFailed',
      'TaskScheduled',
      'TaskStarted',
      'TaskFailed',
      'TaskStateExited',
      'FailStateEntered',
      'ExecutionFailed',
    ]);
    expect(events.at(-1)).toMatchObject({ error: 'Bad', cause: 'why' });
  });

  test('ends an execution that would exceed 25,000 events', async () => {
    const { result, events, calls } = await run(states(pollLap), { runTask: async () => ({ done: false }) });
    expect(result).toMatchObject({ status: 'FAILED', error: 'States.Runtime' });
    expect('cause' in result && result.cause).toContain('maximum number of history events (25000)');
    expect(events).toHaveLength(MAX_HISTORY_EVENTS);
    expect(events.at(-1)).toMatchObject({ id: 25_000, type: 'ExecutionFailed' });
    // 2,777 laps of nine events, and one that was begun.
    expect(calls).toHaveLength(2778);
  });
});
