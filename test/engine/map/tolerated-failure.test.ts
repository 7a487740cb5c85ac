import { describe, expect, test } from 'vitest';
import type { MapState, States } from '../../../src/engine/definition/amazon-states-language.ts';
import { distributedMap, failingFor, run, states, upTo } from '../run.ts';

describe('tolerated failure', () => {
  const failed = (fields: Partial<MapState>, failures: number, items = 10) =>
    run(distributedMap(fields as object), { input: upTo(items), runTask: failingFor(...upTo(failures)) });

  // "The default percentage value is zero, which means that the workflow fails if any one of its child workflow
  // executions fails or times out."
  test('is none by default', async () => {
    expect((await failed({}, 0)).result.status).toBe('SUCCEEDED');
    expect((await failed({}, 1)).result).toMatchObject({
      status: 'FAILED',
      error: 'States.ExceedToleratedFailureThreshold',
    });
  });

  // "Your Map Run fails if this value is exceeded."
  test('by count fails with one more', async () => {
    expect((await failed({ ToleratedFailureCount: 3 }, 3)).result.status).toBe('SUCCEEDED');
    expect((await failed({ ToleratedFailureCount: 3 }, 4)).result.status).toBe('FAILED');
  });

  // "the total number of failed or timed out items divided by the total number of items"
  test.each([
    [30, 3, 10, 'SUCCEEDED'],
    [30, 4, 10, 'FAILED'],
    [29.9, 3, 10, 'FAILED'],
    [33, 1, 3, 'FAILED'],
    [34, 1, 3, 'SUCCEEDED'],
    [0, 1, 10, 'FAILED'],
    // "If you specify the percentage as 100, the workflow won't fail even if all child workflow executions fail."
    [100, 10, 10, 'SUCCEEDED'],
  ])(
    'of %d percent with %d of %d items failed: %s',
    async (ToleratedFailurePercentage, failures, items, status) => {
      expect((await failed({ ToleratedFailurePercentage }, failures, items)).result.status).toBe(status);
    },
  );

  // "If you specify both values, the workflow fails when it exceeds either value."
  test('by both fails when either is exceeded', async () => {
    const both = { ToleratedFailureCount: 2, ToleratedFailurePercentage: 50 };
    expect((await failed(both, 2, 10)).result.status).toBe('SUCCEEDED');
    expect((await failed(both, 3, 10)).result.status).toBe('FAILED');
    expect((await failed(both, 2, 3)).result.status).toBe('FAILED');
  });

  test('may come from the input', async () => {
    const definition = (field: string) => distributedMap({ ItemsPath: '$.items', [field]: '$.limit' });
    const fail = async (field: string, limit: unknown) =>
      (await run(definition(field), { input: { items: upTo(4), limit }, runTask: failingFor(0) })).result;
    expect((await fail('ToleratedFailureCountPath', 1)).status).toBe('SUCCEEDED');
    expect((await fail('ToleratedFailureCountPath', 0)).status).toBe('FAILED');
    expect((await fail('ToleratedFailurePercentagePath', 25)).status).toBe('SUCCEEDED');
    expect(await fail('ToleratedFailurePercentagePath', 101)).toMatchObject({ error: 'States.Runtime' });
  });

  const located = (text: string) =>
    `An error occurred while executing the state 'For each' (entered at the event id #2). ${text}`;

  test.each([
    [
      'Count',
      {},
      'The ToleratedFailureCountPath field refers to value "{}" which is not a valid integer: $.limit',
    ],
    [
      'Count',
      'No',
      'The ToleratedFailureCountPath field refers to value "No" which is not a valid integer: $.limit',
    ],
    ['Count', -1, 'ToleratedFailureCount cannot be negative.'],
    [
      'Percentage',
      {},
      'The ToleratedFailurePercentagePath field refers to value "{}" which is not a valid float: $.limit',
    ],
    ['Percentage', -1.1, 'ToleratedFailurePercentage must be between 0 and 100.'],
    ['Percentage', 100.1, 'ToleratedFailurePercentage must be between 0 and 100.'],
  ])('by a %s of %j from the input fails before there is a Map Run: %s', async (kind, limit, cause) => {
    const definition = distributedMap({ ItemsPath: '$.items', [`ToleratedFailure${kind}Path`]: '$.limit' });
    const { result, events } = await run(definition, { input: { items: [0], limit } });
    expect(result).toMatchObject({ error: 'States.Runtime', cause: located(cause) });
    expect(events.map(({ type }) => type)).toEqual([
      ...['ExecutionStarted', 'MapStateEntered', 'MapStateStarted', 'ExecutionFailed'],
    ]);
  });

  test('counts the items of a failed batch, not the batch', async () => {
    const batched = { ItemBatcher: { MaxItemsPerBatch: 5 }, ToleratedFailureCount: 4 };
    const { result } = await run(distributedMap(batched), {
      input: upTo(10),
      runTask: async ({ parameters }) => {
        if ((parameters as { Items: number[] }).Items.includes(0)) throw new Error('bad batch');
      },
    });
    expect(result.status).toBe('FAILED');
  });

  test('puts how a failed child ended in the place of its output', async () => {
    const { result } = await failed({ ToleratedFailurePercentage: 100 }, 1, 2);
    expect(result).toMatchObject({
      output: [{ Status: 'FAILED', Error: 'BadItem', Cause: 'item 0', Input: '0' }, 'did 1'],
    });
  });

  test('once exceeded aborts what is under way, starts nothing more, and can be caught', async () => {
    const processor: States = {
      StartAt: 'First?',
      States: {
        'First?': {
          Type: 'Choice',
          Choices: [{ Variable: '$', NumericEquals: 0, Next: 'Bad' }],
          Default: 'Long',
        },
        Bad: { Type: 'Fail', Error: 'Bad' },
        Long: { Type: 'Wait', Seconds: 1000, End: true },
      },
    };
    const definition = distributedMap({ MaxConcurrency: 3 }, processor);
    const map = definition.States['For each'] as MapState;
    const { result, events, tookMs } = await run(
      states({
        'For each': { ...map, Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$', Next: 'C' }] },
        C: { Type: 'Succeed' },
      }),
      { input: upTo(9) },
    );
    expect(result).toMatchObject({
      status: 'SUCCEEDED',
      output: { Error: 'States.ExceedToleratedFailureThreshold' },
    });
    expect(tookMs).toBe(0);
    const ofChildren = events.filter(({ executionName }) => executionName !== 'test').map(({ type }) => type);
    expect(ofChildren.filter((type) => type === 'ExecutionStarted')).toHaveLength(3);
    expect(ofChildren.filter((type) => type === 'ExecutionAborted')).toHaveLength(2);
    expect(events.map(({ type }) => type)).toContain('MapRunFailed');
  });
});
