import { describe, expect, test } from 'vitest';
import type { StateMachineDefinition } from '../../../src/engine/definition/amazon-states-language.ts';
import { prepareDefinition } from '../../../src/engine/definition/prepare-definition.ts';
import { run } from '../run.ts';
import { distributed, machine, map, pass, processor, task, unsupported } from './refused-definitions.ts';

describe('what the engine does not support', () => {
  test.each(Object.entries(unsupported))(
    '%s is refused by name, before anything runs',
    async (_, [definition, message]) => {
      const ran: unknown[] = [];
      const attempt = run(definition, {
        onEvent: (event) => ran.push(event),
        runTask: async (call) => ran.push(call),
      });
      await expect(attempt).rejects.toMatchObject({
        name: 'InvalidDefinitionError',
        message: expect.stringMatching(message),
      });
      expect(ran).toEqual([]);
    },
  );
});

describe('a definition that no Step Functions would take', () => {
  test.each<[string, StateMachineDefinition, RegExp]>([
    [
      'an unknown field',
      machine({ S: { ...task, TimeoutSecond: 5 } }),
      /State "S", field "TimeoutSecond": not supported/,
    ],
    ['an unknown type', machine({ S: { Type: 'Wiat', Seconds: 1, End: true } }), /State "S", field "Type"/],
    [
      'an unknown start',
      machine({ S: pass }, { StartAt: 'T' }),
      /there is no state "T" to go to; there are S/,
    ],
    [
      'an unknown next state',
      machine({ S: { Type: 'Pass', Next: 'T' } }),
      /State "S": there is no state "T"/,
    ],
    [
      'an unknown default',
      machine({
        S: { Type: 'Choice', Choices: [{ Variable: '$', IsNull: true, Next: 'E' }], Default: 'T' },
        E: pass,
      }),
      /State "S": there is no state "T"/,
    ],
    [
      'an unknown choice',
      machine({ S: { Type: 'Choice', Choices: [{ Variable: '$', IsNull: true, Next: 'T' }] } }),
      /State "S": there is no state "T"/,
    ],
    [
      'an unknown catch',
      machine({ S: { ...task, Catch: [{ ErrorEquals: ['States.ALL'], Next: 'T' }] } }),
      /State "S": there is no state "T"/,
    ],
    [
      'a state of the parent as the next',
      map({ ItemProcessor: processor(distributed, { In: { Type: 'Pass', Next: 'S' } }) }),
      /State "S": ItemProcessor: State "In": there is no state "S"/,
    ],
    [
      'the same name twice',
      map({ ItemProcessor: processor(distributed, { S: pass }) }),
      /State "S": another state has the same name/,
    ],
    ['neither Next nor End', machine({ S: { Type: 'Pass' } }), /State "S": exactly one of Next and End/],
    ['both Next and End', machine({ S: { ...pass, Next: 'S' } }), /State "S": exactly one of Next and End/],
    [
      'two timeouts',
      machine({ S: { ...task, TimeoutSeconds: 1, TimeoutSecondsPath: '$.t' } }),
      /at most one of TimeoutSeconds, TimeoutSecondsPath/,
    ],
    ['a wait for nothing', machine({ S: { Type: 'Wait', End: true } }), /State "S": exactly one of Seconds/],
    [
      'a wait for no time',
      machine({ S: { Type: 'Wait', Timestamp: 'noon', End: true } }),
      /State "S": Timestamp: "noon" is not an RFC 3339 time/,
    ],
    [
      'a rule of nothing',
      machine({ S: { Type: 'Choice', Choices: [{ Next: 'E' }] }, E: pass }),
      /a rule is one of/,
    ],
    [
      'a rule of two',
      machine({
        S: { Type: 'Choice', Choices: [{ Variable: '$', IsNull: true, IsString: true, Next: 'E' }] },
        E: pass,
      }),
      /a rule is one of/,
    ],
    [
      'a comparison without Variable',
      machine({ S: { Type: 'Choice', Choices: [{ Not: { IsNull: true }, Next: 'E' }] }, E: pass }),
      /field "Choices.0.Not": a rule is one of/,
    ],
    [
      'an operand of the wrong type',
      machine({
        S: { Type: 'Choice', Choices: [{ Variable: '$.n', NumericEquals: '1', Next: 'E' }] },
        E: pass,
      }),
      /field "Choices.0.NumericEquals"/,
    ],
    [
      'a rule with a bad path',
      machine({ S: { Type: 'Choice', Choices: [{ Variable: '$.', IsNull: true, Next: 'E' }] }, E: pass }),
      /State "S": Choices: "\$." is not a path/,
    ],
    [
      'States.ALL among others',
      machine({ S: { ...task, Retry: [{ ErrorEquals: ['A', 'States.ALL'] }] } }),
      /State "S", field "Retry.0.ErrorEquals": States.ALL must stand alone/,
    ],
    [
      'States.ALL before others',
      machine({ S: { ...task, Retry: [{ ErrorEquals: ['States.ALL'] }, { ErrorEquals: ['A'] }] } }),
      /States.ALL must be in the last retrier/,
    ],
    [
      'a backoff below 1',
      machine({ S: { ...task, Retry: [{ ErrorEquals: ['A'], BackoffRate: 0.5 }] } }),
      /field "Retry.0.BackoffRate"/,
    ],
    [
      'a template that is no path',
      machine({ S: { ...task, Parameters: { a: { 'b.$': 'text' } } } }),
      /State "S": Parameters: a: b.\$: "text" is not a path/,
    ],
    [
      'a template that is no text',
      machine({ S: { ...task, Parameters: { 'b.$': 1 } } }),
      /State "S": Parameters: b.\$: must be a path or an intrinsic function/,
    ],
    [
      'a ResultPath with a wildcard',
      machine({ S: { ...task, ResultPath: '$.a[*]' } }),
      /State "S": ResultPath: .* is not a reference path/,
    ],
    [
      'a reader in an inline Map',
      map({
        ItemProcessor: processor({ Mode: 'INLINE' }),
        ResultWriter: { Resource: 'arn:aws:states:::s3:putObject', Parameters: {} },
      }),
      /field "ResultWriter": is for a Map of mode DISTRIBUTED only/,
    ],
    [
      'a batch without a limit',
      map({ ItemBatcher: { BatchInput: {} } }),
      /field "ItemBatcher": a batch needs a limit/,
    ],
    ['a label that is too long', map({ Label: 'x'.repeat(41) }), /field "Label"/],
    ...[
      ' ',
      '?',
      '*',
      '<',
      '[',
      ':',
      ';',
      ',',
      '\\',
      '|',
      '^',
      '~',
      '$',
      '#',
      '%',
      '&',
      '`',
      '"',
      '\u0000',
      '\u009f',
    ].map((character): [string, StateMachineDefinition, RegExp] => [
      `a label with ${JSON.stringify(character)}`,
      map({ Label: `x${character}` }),
      /field "Label"/,
    ]),
    [
      'a state that nothing leads to',
      machine({ S: { Type: 'Pass', Next: 'E' }, Lost: { Type: 'Pass', Next: 'E' }, E: pass }),
      /State "Lost": no state leads to it/,
    ],
    [
      'states that lead only to each other',
      machine({ S: pass, A: { Type: 'Pass', Next: 'B' }, B: { Type: 'Pass', Next: 'A' } }),
      /State "A": no state leads to it/,
    ],
    [
      'an illegal escape in an intrinsic function',
      machine({ S: { ...pass, Parameters: { 'a.$': `States.Array('\\"')` } } }),
      /State "S": Parameters: a.\$: .*a backslash stands before/,
    ],
    [
      'a day that does not exist',
      machine({
        S: {
          Type: 'Choice',
          Choices: [{ Variable: '$', TimestampEquals: '2026-02-30T00:00:00Z', Next: 'E' }],
        },
        E: pass,
      }),
      /field "Choices.0.TimestampEquals": must be an RFC 3339 time/,
    ],
    [
      'a bad branch',
      machine({
        S: {
          Type: 'Parallel',
          Branches: [{ StartAt: 'A', States: { A: { Type: 'Pass', Next: 'B' } } }],
          End: true,
        },
      }),
      /State "S": Branches\[0\]: State "A": there is no state "B"/,
    ],
    ['no object at all', null as unknown as StateMachineDefinition, /State machine: /],
  ])('with %s is refused, naming state and field', (_, definition, message) => {
    expect(() => prepareDefinition(definition)).toThrow(
      expect.objectContaining({ name: 'InvalidDefinitionError', message: expect.stringMatching(message) }),
    );
  });

  test('with several mistakes lists them all', () => {
    const definition = machine({ S: { ...task, Assign: {}, Output: 1 }, T: { ...pass, Assign: {} } });
    expect(() => prepareDefinition(definition)).toThrow(
      /"S", field "Assign".*"S", field "Output".*"T", field "Assign"/,
    );
  });
});

describe('a definition that Step Functions takes', () => {
  test.each<[string, StateMachineDefinition]>([
    ['a label with a dot', map({ Label: 'v1.2-Größe_x' })],
    [
      'an ItemsPath beside an ItemReader',
      map({
        ItemsPath: '$.items',
        ItemReader: {
          Resource: 'arn:aws:states:::s3:getObject',
          Parameters: { Bucket: 'b', Key: 'k' },
          ReaderConfig: { InputType: 'JSON' },
        },
      }),
    ],
    [
      'a dot before a bracket',
      machine({ S: { ...pass, Parameters: { 'a.$': '$.[0]', 'b.$': '$.a.[0].b' } } }),
    ],
    [
      'states that only Catch, Choices and Default lead to',
      machine({
        S: { ...task, End: undefined, Next: 'C', Catch: [{ ErrorEquals: ['States.ALL'], Next: 'D' }] },
        C: { Type: 'Choice', Choices: [{ Variable: '$', IsNull: true, Next: 'E' }], Default: 'F' },
        ...{ D: pass, E: pass, F: pass },
      }),
    ],
  ])('may have %s', (_, definition) => {
    expect(() => prepareDefinition(definition)).not.toThrow();
  });
});
