import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createVirtualClock } from '../../src/core/clock.ts';
import type { StateMachineDefinition } from '../../src/engine/definition/amazon-states-language.ts';
import { runExecution } from '../../src/engine/execution.ts';
import { InvalidDefinitionError } from '../../src/engine/state-error.ts';
import { createStateMachine, type StateMachine } from '../../src/engine/state-machine.ts';
import { definition as workflow } from '../../src/workflow/definition.ts';
import { createRandom } from './run.ts';

const stateName = fc.constantFrom('A', 'B', 'C');
/** Mostly one of what Step Functions takes; now and then what it does not. */
const mostly = (good: readonly string[], ...bad: string[]) =>
  fc.oneof(
    { arbitrary: fc.constantFrom(...good), weight: 40 },
    { arbitrary: fc.constantFrom(...bad), weight: 1 },
  );
const path = mostly(
  [
    ...[
      '$',
      '$.n',
      '$.list',
      '$.list[0]',
      '$.list[*].n',
      '$.list[?(@.n > 1)]',
      '$..n',
      "$['text']",
      '$.list[ 9 ]',
    ],
    ...[
      '$.missing',
      '$.missing.more',
      '$$',
      '$$.State',
      '$$.Map.Item.Value',
      '$$.Execution.Input.n',
      '$.[0]',
    ],
  ],
  '$.a b',
  'n',
);
const expression = fc.oneof(
  path,
  mostly(
    [
      ...["States.Format('{} {}', $.n, $.list)", 'States.ArrayLength($.list)', 'States.MathAdd($.n, 1)'],
      ...[
        'States.StringToJson($.text)',
        'States.ArrayRange(0, $.n, 1)',
        'States.UUID()',
        "States.Format('{')",
      ],
    ],
    'States.Nothing()',
    "States.Array('\\\\q')",
  ),
);
const template = fc.dictionary(fc.constantFrom('x.$', 'y.$', 'z'), expression, { maxKeys: 3 });
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 1 });

const transition = fc.oneof(
  stateName.map((Next) => ({ Next })),
  fc.constant({ End: true }),
);
const paths = {
  InputPath: optional(fc.oneof(path, fc.constant(null))),
  OutputPath: optional(fc.oneof(path, fc.constant(null))),
};
const placed = { ResultPath: optional(mostly(['$', '$.r', '$.list[0]', '$.n.m'], '$.list[*]')) };
const result = { ResultSelector: optional(template), ...placed };
const errors = ['States.ALL', 'States.Timeout', 'States.DataLimitExceeded', 'Broken'];
const ErrorEquals = fc.tuple(fc.constantFrom(...errors));
const recovery = {
  Retry: optional(fc.tuple(fc.record({ ErrorEquals, MaxAttempts: fc.nat(2) }))),
  Catch: optional(fc.tuple(fc.record({ ErrorEquals, Next: stateName }))),
};
const rule = fc
  .tuple(
    path,
    fc.constantFrom(
      ...[{ NumericLessThan: 1 }, { StringEquals: 'a' }, { IsPresent: true }, { IsNull: false }],
      ...[{ StringMatches: 'a*' }, { TimestampEquals: '2026-01-01T00:00:00Z' }, { NumericEqualsPath: '$.n' }],
    ),
  )
  .map(([Variable, test]) => ({ Variable, ...test }));

const Type = <T extends string>(name: T) => ({ Type: fc.constant(name) });
const simple = fc.oneof(
  fc.record({ ...Type('Pass'), ...paths, ...placed, Parameters: optional(template) }),
  fc.record({
    ...Type('Task'),
    Resource: fc.constantFrom('arn:aws:states:::lambda:invoke', 'arn:aws:lambda:x:1:function:f'),
    ...{
      ...paths,
      ...result,
      ...recovery,
      Parameters: optional(template),
      TimeoutSecondsPath: optional(path),
    },
  }),
  fc.record({ ...Type('Wait'), SecondsPath: path, ...paths }),
  fc.record({ ...Type('Wait'), TimestampPath: path }),
);
const last = fc.oneof(
  fc.record({ ...Type('Succeed'), ...paths }),
  fc.record({ ...Type('Fail'), ErrorPath: optional(expression), Cause: optional(fc.string()) }),
  fc.record({
    ...Type('Choice'),
    Choices: fc.tuple(fc.tuple(rule, stateName).map(([of, Next]) => ({ ...of, Next }))),
    Default: optional(stateName),
  }),
);
const oneTask = { StartAt: 'Inner', States: { Inner: { Type: 'Task', Resource: 'r', End: true } } };
const mapFields = {
  ...{ ...Type('Map'), ...paths, ...result, ...recovery },
  ...{ ItemsPath: optional(path), ItemSelector: optional(template), MaxConcurrencyPath: optional(path) },
};
const composite = fc.oneof(
  fc.record({ ...mapFields, ItemProcessor: fc.constant(oneTask) }),
  fc.record({
    ...{
      ...mapFields,
      ToleratedFailureCountPath: optional(path),
      ToleratedFailurePercentagePath: optional(path),
    },
    ItemProcessor: fc.constant({
      ...oneTask,
      ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
    }),
  }),
  fc.record({ ...Type('Parallel'), Branches: fc.constant([oneTask]), ...paths, ...result, ...recovery }),
);
const state = fc.oneof(
  { arbitrary: last, weight: 1 },
  {
    arbitrary: fc.tuple(fc.oneof(simple, composite), transition).map((both) => Object.assign({}, ...both)),
    weight: 3,
  },
);
/** States that are mostly as Step Functions would have them, the inner ones of Map and Parallel with names of their own. */
const definition = fc.record({ A: state, B: state, C: state }).map((drawn) => {
  const States: Record<string, object> = {};
  const addFrom = (name: keyof typeof drawn) => {
    if (name in States) return;
    const text = JSON.stringify(drawn[name]).replaceAll('Inner', `In ${name}`);
    States[name] = JSON.parse(text);
    for (const [, next] of text.matchAll(/"(?:Next|Default)":"(\w)"/g)) addFrom(next as keyof typeof drawn);
  };
  addFrom('A');
  return { StartAt: 'A', States } as unknown as StateMachineDefinition;
});
const input = fc.record(
  {
    n: fc.oneof(
      fc.integer({ min: -2, max: 5 }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.string(),
    ),
    list: fc.array(fc.oneof(fc.record({ n: fc.nat(3) }), fc.nat(3), fc.string()), { maxLength: 3 }),
    text: fc.oneof(fc.constantFrom('', ' ', '{"a":1}', '2026-01-01T00:00:05Z'), fc.string()),
  },
  { requiredKeys: [] },
);

/** Undefined where the definition is refused, which must be by its own error. */
function machineOf(given: unknown): StateMachine | undefined {
  try {
    return createStateMachine(given as StateMachineDefinition);
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidDefinitionError);
    return undefined;
  }
}

describe('whatever is given for a definition', () => {
  test('is prepared, or refused with an InvalidDefinitionError', () => {
    fc.assert(fc.property(fc.anything(), (anything) => void machineOf(anything)));
    fc.assert(fc.property(definition, (machine) => void machineOf(machine)));
  });

  test('is refused so where one field of a good one is something else', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 2 }), fc.nat(), (replacement, pick) => {
        const places: [Record<string, unknown>, string][] = [];
        const changed = JSON.parse(JSON.stringify(workflow), function (key, value) {
          if (key !== '') places.push([this, key]);
          return value;
        });
        const [holder, key] = places[pick % places.length] as [Record<string, unknown>, string];
        holder[key] = replacement;
        machineOf(changed);
      }),
      { numRuns: 200 },
    );
  });

  test('is refused so where rules or templates are nested without end', () => {
    let rules: object = { Variable: '$', IsNull: true };
    let nested: object = { 'x.$': '$' };
    for (let depth = 0; depth < 20_000; depth += 1) {
      rules = { Not: rules };
      nested = { nested };
    }
    const Choices = [{ ...rules, Next: 'E' }];
    const E = { Type: 'Succeed' };
    expect(machineOf({ StartAt: 'S', States: { S: { Type: 'Choice', Choices }, E } })).toBeUndefined();
    const S = { Type: 'Pass', Parameters: nested, End: true };
    expect(machineOf({ StartAt: 'S', States: { S } })).toBeUndefined();
  });
});

describe('a definition drawn at random', () => {
  test('runs to an end that has a name, whatever its input and its tasks', async () => {
    const outcomes: string[] = [];
    await fc.assert(
      fc.asyncProperty(definition, input, fc.nat(), async (drawn, data, seed) => {
        const machine = machineOf(drawn);
        if (machine === undefined) return;
        const random = createRandom(seed);
        const result = await runExecution(machine, {
          input: data,
          clock: createVirtualClock(),
          random,
          runTask: async ({ parameters }) => {
            const lot = random();
            if (lot < 0.2) throw Object.assign(new Error('broken'), { name: 'Broken' });
            if (lot < 0.25) return Promise.reject('no error at all');
            if (lot < 0.3) return { cycle: BigInt(1) };
            return lot < 0.35 ? 'x'.repeat(300_000) : parameters;
          },
        });
        outcomes.push(result.status);
        if (result.status !== 'FAILED') return;
        // A Fail state may have no error at all, or one from the input.
        if (Object.values(drawn.States).some(({ Type }) => Type === 'Fail')) return;
        expect(result.error).toMatch(/^(States\.[A-Z]\w+|Broken)$/);
      }),
      { numRuns: 400 },
    );
    // Not all of them are refused or fail alike.
    expect(outcomes.length).toBeGreaterThan(200);
    expect(outcomes.filter((status) => status === 'SUCCEEDED').length).toBeGreaterThan(20);
  });
});
