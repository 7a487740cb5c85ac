import { describe, expect, test } from 'vitest';
import type { FailState, State, WaitState } from '../../../src/engine/definition/amazon-states-language.ts';
import { run, states } from '../run.ts';

describe('Pass', () => {
  const pass = (fields: object) => states({ P: { Type: 'Pass', ...fields, End: true } });

  test('gives its input, or what Parameters make of it, or its Result', async () => {
    const input = { a: 1 };
    expect((await run(pass({}), { input })).result).toMatchObject({ output: { a: 1 } });
    expect((await run(pass({ Parameters: { 'b.$': '$.a' } }), { input })).result).toMatchObject({
      output: { b: 1 },
    });
    expect((await run(pass({ Result: [0] }), { input })).result).toMatchObject({ output: [0] });
    expect((await run(pass({ Result: null, ResultPath: '$.r' }), { input })).result).toMatchObject({
      output: { a: 1, r: null },
    });
  });
});

describe('Wait', () => {
  const wait = (fields: Partial<WaitState>) => states({ W: { Type: 'Wait', ...fields, End: true } as State });

  test.each<[Partial<WaitState>, unknown, number]>([
    [{ Seconds: 10 }, {}, 10_000],
    [{ Seconds: 0 }, {}, 0],
    [{ SecondsPath: '$.s' }, { s: 300 }, 300_000],
    [{ Timestamp: '2026-01-01T01:00:00Z' }, {}, 3_600_000],
    [{ Timestamp: '2020-01-01T01:00:00Z' }, {}, 0],
    [{ TimestampPath: '$.t' }, { t: '2026-01-01T00:00:01+00:00' }, 1000],
  ])('%j of %j takes %d milliseconds, and gives its input', async (fields, input, expectedMs) => {
    const { tookMs, result } = await run(wait(fields), { input });
    expect(tookMs).toBe(expectedMs);
    expect(result).toMatchObject({ status: 'SUCCEEDED', output: input });
  });

  const NO_TIME =
    'The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format string: ';

  test.each<[Partial<WaitState>, unknown, string]>([
    [
      { SecondsPath: '$.s' },
      { s: '10' },
      'The SecondsPath parameter cannot be parsed as a long value: $.s == 10',
    ],
    [
      { SecondsPath: '$.s' },
      { s: 1.5 },
      'The SecondsPath parameter cannot be parsed as a long value: $.s == 1.5',
    ],
    [{ SecondsPath: '$.s' }, { s: -1 }, 'The SecondsPath parameter references a negative value: $.s == -1'],
    [{ SecondsPath: '$.s.t' }, {}, 'The SecondsPath parameter does not reference an input value: $.s.t'],
    [{ SecondsPath: '$.s' }, { s: 2 ** 31 }, 'Wait state delay is too long.'],
    [{ TimestampPath: '$.t' }, { t: '2095-01-01T00:00:00Z' }, 'Wait state delay is too long.'],
    [{ Timestamp: '2095-01-01T00:00:00Z' }, {}, 'Wait state delay is too long.'],
    [{ TimestampPath: '$.t' }, { t: 'tomorrow' }, `${NO_TIME}$.t == tomorrow`],
    [{ TimestampPath: '$.t' }, { t: '2026-02-30T00:00:00Z' }, `${NO_TIME}$.t == 2026-02-30T00:00:00Z`],
    [{ TimestampPath: '$.t' }, { t: { a: 1 } }, `${NO_TIME}$.t == {"a":1}`],
    [{ TimestampPath: '$.t' }, {}, 'The TimestampPath parameter does not reference an input value: $.t'],
  ])('%j of %j is States.Runtime: %s', async (fields, input, cause) => {
    expect((await run(wait(fields), { input })).result).toMatchObject({
      status: 'FAILED',
      error: 'States.Runtime',
      cause: `An error occurred while executing the state 'W' (entered at the event id #2). ${cause}`,
    });
  });

  test('of as long as Step Functions counts is waited for', async () => {
    const { tookMs } = await run(wait({ SecondsPath: '$.s' }), { input: { s: 2 ** 31 - 1 } });
    expect(tookMs).toBe((2 ** 31 - 1) * 1000);
  });
});

describe('Choice', () => {
  const choice = (more: object = {}) =>
    states({
      C: {
        Type: 'Choice',
        Choices: [
          { Variable: '$.n', NumericGreaterThan: 10, Next: 'Large' },
          { Variable: '$.n', NumericGreaterThan: 5, Next: 'Medium' },
        ],
        ...more,
      },
      Large: { Type: 'Pass', Result: 'large', End: true },
      Medium: { Type: 'Pass', Result: 'medium', End: true },
      ...('Default' in more && { Small: { Type: 'Pass', Result: 'small', End: true } as const }),
    });
  const SMALL = { Default: 'Small' };

  test('goes on at the first rule that holds, or at Default', async () => {
    const at = async (n: number) => (await run(choice(SMALL), { input: { n } })).result;
    expect(await at(11)).toMatchObject({ output: 'large' });
    expect(await at(6)).toMatchObject({ output: 'medium' });
    expect(await at(5)).toMatchObject({ output: 'small' });
  });

  test('takes rules that are made of others', async () => {
    const definition = states({
      C: {
        Type: 'Choice',
        Choices: [
          {
            Or: [
              {
                And: [
                  { Variable: '$.n', IsPresent: true },
                  { Variable: '$.n', NumericEquals: 1 },
                ],
              },
              { Not: { Variable: '$.n', IsPresent: true } },
            ],
            Next: 'Yes',
          },
        ],
        Default: 'No',
      },
      Yes: { Type: 'Pass', Result: 'yes', End: true },
      No: { Type: 'Pass', Result: 'no', End: true },
    });
    expect((await run(definition, { input: { n: 1 } })).result).toMatchObject({ output: 'yes' });
    expect((await run(definition, { input: {} })).result).toMatchObject({ output: 'yes' });
    expect((await run(definition, { input: { n: 2 } })).result).toMatchObject({ output: 'no' });
  });

  test('without a rule that holds or a Default fails with States.NoChoiceMatched', async () => {
    expect((await run(choice(), { input: { n: 1 } })).result).toMatchObject({
      error: 'States.NoChoiceMatched',
    });
  });

  test('passes its input on through InputPath and OutputPath', async () => {
    const definition = choice({ InputPath: '$.in', ...SMALL });
    const { events } = await run(definition, { input: { in: { n: 11 } } });
    expect(events.find(({ type }) => type === 'ChoiceStateExited')).toMatchObject({ output: { n: 11 } });
  });
});

describe('Succeed', () => {
  test('ends the execution with its output', async () => {
    const definition = states({ S: { Type: 'Succeed', OutputPath: '$.a' } });
    expect((await run(definition, { input: { a: 1 } })).result).toMatchObject({
      status: 'SUCCEEDED',
      output: 1,
    });
  });
});

describe('Fail', () => {
  const fail = (fields: Partial<FailState>) =>
    run(states({ F: { Type: 'Fail', ...fields } }), { input: { e: 'E', n: 1 } });

  test('ends the execution with its Error and Cause', async () => {
    expect((await fail({ Error: 'Bad', Cause: 'because' })).result).toMatchObject({
      status: 'FAILED',
      error: 'Bad',
      cause: 'because',
    });
    expect((await fail({})).result).not.toHaveProperty('cause');
  });

  test('without Error or Cause has neither in the history', async () => {
    const { result, events } = await fail({});
    expect(result).toEqual({ status: 'FAILED', startDate: expect.anything(), stopDate: expect.anything() });
    expect(events.at(-1)).not.toHaveProperty('error');
    expect((await fail({ Cause: 'because' })).result).not.toHaveProperty('error');
  });

  test('takes them from paths and intrinsic functions', async () => {
    const { result } = await fail({
      ErrorPath: '$.e',
      CausePath: "States.Format('{} of {}', $.n, $$.State.Name)",
    });
    expect(result).toMatchObject({ error: 'E', cause: '1 of F' });
  });

  test('needs texts there', async () => {
    expect((await fail({ ErrorPath: '$.n' })).result).toMatchObject({ error: 'States.Runtime' });
  });
});

describe('Parallel', () => {
  const branch = (state: State) => ({ StartAt: 'x', States: { x: state } });
  const task = (name: string) => ({
    StartAt: name,
    States: { [name]: { Type: 'Task', Resource: name, End: true } as State },
  });

  test('gives the outputs of its branches in their order, each having had the same input', async () => {
    const definition = states({
      P: {
        Type: 'Parallel',
        Branches: [task('slow'), task('fast')],
        Parameters: { 'v.$': '$.a' },
        End: true,
      },
    });
    const { result } = await run(definition, {
      input: { a: 1 },
      runTask: async ({ resource, parameters }) => {
        await new Promise((resolve) => setTimeout(resolve, resource === 'slow' ? 10 : 0));
        return { resource, parameters };
      },
    });
    expect(result).toMatchObject({
      output: [
        { resource: 'slow', parameters: { v: 1 } },
        { resource: 'fast', parameters: { v: 1 } },
      ],
    });
  });

  test('fails with the error of the first branch that does, and ends the others', async () => {
    const waiting = { StartAt: 'w', States: { w: { Type: 'Wait', Seconds: 1000, End: true } as State } };
    const definition = states({
      P: {
        Type: 'Parallel',
        Branches: [waiting, branch({ Type: 'Fail', Error: 'Bad' })],
        Catch: [{ ErrorEquals: ['Bad'], Next: 'Caught' }],
        End: true,
      },
      Caught: { Type: 'Succeed' },
    });
    const { result, tookMs, events } = await run(definition);
    expect(result).toMatchObject({ status: 'SUCCEEDED', output: { Error: 'Bad', Cause: '' } });
    expect(tookMs).toBe(0);
    expect(events.map(({ type }) => type)).toEqual([
      'ExecutionStarted',
      'ParallelStateEntered',
      'ParallelStateStarted',
      'WaitStateEntered',
      'FailStateEntered',
      'ParallelStateFailed',
      'ParallelStateExited',
      'SucceedStateEntered',
      'SucceedStateExited',
      'ExecutionSucceeded',
    ]);
  });
});

describe('the context object', () => {
  test('tells of the execution, the state machine and the state', async () => {
    const definition = states({
      W: { Type: 'Wait', Seconds: 60, Next: 'Now' },
      Now: { Type: 'Pass', Parameters: { 'all.$': '$$' }, End: true },
    });
    const { result } = await run(definition, { input: { a: 1 } });
    expect(result).toMatchObject({
      output: {
        all: {
          Execution: {
            Id: 'arn:aws:states:local:000000000000:execution:StateMachine:test',
            Input: { a: 1 },
            Name: 'test',
            RoleArn: expect.stringMatching(/^arn:aws:iam::/),
            StartTime: '2026-01-01T00:00:00.000Z',
          },
          State: { Name: 'Now', EnteredTime: '2026-01-01T00:01:00.000Z' },
          StateMachine: {
            Id: 'arn:aws:states:local:000000000000:stateMachine:StateMachine',
            Name: 'StateMachine',
          },
        },
      },
    });
  });

  test('has a RetryCount for the types of state that can be retried, and for no other', async () => {
    const seen = async (state: object) => {
      const { result } = await run(states({ S: state as State }), { input: [1] });
      return 'output' in result ? result.output : undefined;
    };
    const inner = { StartAt: 'In', States: { In: { Type: 'Pass', End: true } } };
    const InputPath = '$$.State';
    const plain = { Name: 'S', EnteredTime: '2026-01-01T00:00:00.000Z' };
    for (const state of [
      { Type: 'Pass', InputPath, End: true },
      { Type: 'Succeed', InputPath },
      { Type: 'Wait', Seconds: 0, InputPath, End: true },
    ])
      expect(await seen(state)).toStrictEqual(plain);
    const counted = { ...plain, RetryCount: 0 };
    expect(await seen({ Type: 'Task', Resource: 'r', InputPath, End: true })).toStrictEqual(counted);
    expect(await seen({ Type: 'Parallel', Branches: [inner], InputPath, End: true })).toStrictEqual([
      counted,
    ]);
    const ItemSelector = { 'state.$': '$$.State' };
    expect(
      await seen({
        Type: 'Map',
        ItemProcessor: { ...inner, ProcessorConfig: { Mode: 'INLINE' } },
        ItemSelector,
        End: true,
      }),
    ).toMatchObject([{ state: counted }]);
  });
});
