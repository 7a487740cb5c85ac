import { describe, expect, test } from 'vitest';
import type {
  ChoiceRule,
  StateMachineDefinition,
} from '../../src/engine/definition/amazon-states-language.ts';
import { drawDefinition } from '../../src/workflow/diagram.ts';

describe('drawing a definition', () => {
  test('shows every state, where it goes on, what it catches, and nested states as subgraphs', () => {
    const definition: StateMachineDefinition = {
      StartAt: 'Plan',
      States: {
        Plan: {
          Type: 'Task',
          Resource: 'r',
          Catch: [{ ErrorEquals: ['A', 'B'], Next: 'Failed' }],
          Next: 'For each part',
        },
        'For each part': {
          Type: 'Map',
          ItemProcessor: {
            ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
            StartAt: 'Wait',
            States: {
              Wait: { Type: 'Wait', Seconds: 1, Next: 'Ended?' },
              'Ended?': {
                Type: 'Choice',
                Choices: [{ Variable: '$.Status', StringEquals: 'Completed', Next: 'Collect' }],
                Default: 'Wait',
              },
              Collect: { Type: 'Task', Resource: 'r', End: true },
            },
          },
          Next: 'Both',
        },
        Both: {
          Type: 'Parallel',
          Branches: [{ StartAt: 'Note', States: { Note: { Type: 'Pass', End: true } } }],
          Next: 'Done',
        },
        Done: { Type: 'Succeed' },
        Failed: { Type: 'Fail' },
      },
    };
    expect(drawDefinition(definition)).toBe(`flowchart TD
  s6((" "))
  s1["Plan"]
  subgraph s2 ["For each part (Distributed Map)"]
    s10((" "))
    s7("Wait")
    s8{"Ended?"}
    s9["Collect"]
    s10 --> s7
    s7 --> s8
    s8 -->|"$.Status = Completed"| s9
    s8 -->|"otherwise"| s7
  end
  subgraph s3 ["Both (Parallel)"]
    s12((" "))
    s11("Note")
    s12 --> s11
  end
  s4(["Done"])
  s5(["Failed"])
  s6 --> s1
  s1 --> s2
  s1 -.->|"A, B"| s5
  s2 --> s3
  s3 --> s4
`);
  });

  const labelOf = (rule: ChoiceRule, Comment?: string) => {
    const branch = { ...rule, Next: 'End', ...(Comment !== undefined && { Comment }) };
    const drawn = drawDefinition({
      StartAt: 'C',
      States: { C: { Type: 'Choice', Choices: [branch] }, End: { Type: 'Succeed' } },
    });
    return /\|"(.*)"\|/.exec(drawn)?.[1];
  };

  test.each<[ChoiceRule, string]>([
    [{ Variable: '$.n', NumericLessThanEquals: 3 }, '$.n #lt;= 3'],
    [{ Variable: '$.n', NumericGreaterThanPath: '$.m' }, '$.n #gt; $.m'],
    [{ Variable: '$.s', StringMatches: 'a*' }, '$.s matches a*'],
    [{ Variable: '$.b', BooleanEquals: true }, '$.b = true'],
    [{ Variable: '$.x', IsPresent: true }, '$.x is present'],
    [{ Variable: '$.x', IsNull: false }, '$.x is not null'],
    [{ Not: { Variable: '$.x', IsString: true } }, 'not ($.x is string)'],
    [
      { And: [{ Variable: '$.a', StringEquals: '"' }, { Or: [{ Variable: '$.b', StringEquals: '#' }] }] },
      '$.a = #quot; and $.b = #35;',
    ],
  ])('says %j in few words', (rule, label) => {
    expect(labelOf(rule)).toBe(label);
  });

  test('prefers the words of a comment', () => {
    expect(labelOf({ Variable: '$.n', NumericEquals: 1 }, 'one left')).toBe('one left');
  });

  test('tells an inline Map from a distributed one', () => {
    const ItemProcessor = { StartAt: 'P', States: { P: { Type: 'Pass', End: true } } } as const;
    const drawn = drawDefinition({ StartAt: 'M', States: { M: { Type: 'Map', ItemProcessor, End: true } } });
    expect(drawn).toContain('subgraph s1 ["M (Map)"]');
  });
});
