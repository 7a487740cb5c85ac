import { describe, expect, test } from 'vitest';
import type { ChoiceRule } from '../../../src/engine/definition/amazon-states-language.ts';
import { compileChoiceRule } from '../../../src/engine/states/choice-rule.ts';

const holds = (rule: ChoiceRule, data: unknown, context: unknown = {}) =>
  compileChoiceRule(rule)({ data, context, random: () => 0 });

const EARLY = '2016-03-14T01:59:00Z';
const LATE = '2016-03-14T01:59:00.5Z';

describe('comparison operators', () => {
  // operator, smaller operand, larger operand: each is tried with values below, at and above.
  test.each<[string, unknown[]]>([
    ['String', ['a', 'b', 'c']],
    ['Numeric', [-1.5, 2, 10]],
    ['Timestamp', [EARLY, LATE, '2016-03-14T03:59:01+01:00']],
  ])('%s relations compare values of their own type only', (prefix, ordered) => {
    const relations: Record<string, (difference: number) => boolean> = {
      Equals: (difference) => difference === 0,
      LessThan: (difference) => difference < 0,
      LessThanEquals: (difference) => difference <= 0,
      GreaterThan: (difference) => difference > 0,
      GreaterThanEquals: (difference) => difference >= 0,
    };
    for (const [relation, expected] of Object.entries(relations)) {
      const operator = `${prefix}${relation}`;
      const fixed = { Variable: '$.value', [operator]: ordered[1] } as ChoiceRule;
      const byPath = { Variable: '$.value', [`${operator}Path`]: '$.other' } as ChoiceRule;
      for (const [index, value] of ordered.entries()) {
        expect(holds(fixed, { value }), `${value} ${operator} ${ordered[1]}`).toBe(expected(index - 1));
        expect(holds(byPath, { value, other: ordered[1] })).toBe(expected(index - 1));
      }
      for (const value of [null, true, {}, [], prefix === 'Numeric' ? '2' : 2])
        expect(holds(fixed, { value }), `${JSON.stringify(value)} ${operator}`).toBe(false);
      expect(holds(byPath, { value: ordered[1], other: null })).toBe(false);
    }
  });

  test('BooleanEquals compares booleans only', () => {
    expect(holds({ Variable: '$.v', BooleanEquals: true }, { v: true })).toBe(true);
    expect(holds({ Variable: '$.v', BooleanEquals: false }, { v: true })).toBe(false);
    expect(holds({ Variable: '$.v', BooleanEquals: true }, { v: 'true' })).toBe(false);
    expect(holds({ Variable: '$.v', BooleanEqualsPath: '$.w' }, { v: false, w: false })).toBe(true);
    expect(holds({ Variable: '$.v', BooleanEqualsPath: '$.w' }, { v: 1, w: 1 })).toBe(false);
  });

  test.each([
    ['log-*.txt', 'log-2016.txt', true],
    ['log-*.txt', 'log-.txt', true],
    ['log-*.txt', 'log-2016.txtx', false],
    ['log-*.txt', 'log-2016-txt', false],
    ['*', 'a\nb', true],
    ['a\\*b', 'a*b', true],
    ['a\\*b', 'axb', false],
    ['a\\\\*', 'a\\xyz', true],
    ['a\\b', 'a\\b', true],
    ['(a|b)', '(a|b)', true],
    ['(a|b)', 'a', false],
    ['*a*b*', 'xaxbx', true],
    ['', '', true],
  ])('StringMatches %j takes %j: %s', (pattern, value, expected) => {
    expect(holds({ Variable: '$.v', StringMatches: pattern }, { v: value })).toBe(expected);
  });

  test('StringMatches does not hold for what is no string', () => {
    expect(holds({ Variable: '$.v', StringMatches: '*' }, { v: 1 })).toBe(false);
  });
});

describe('tests of type', () => {
  test.each<[string, unknown[], unknown[]]>([
    ['IsNull', [null], [0, '', false, {}]],
    ['IsNumeric', [0, -1.5], ['1', null, true]],
    ['IsString', ['', 'a'], [1, null, {}]],
    ['IsBoolean', [true, false], [0, 'true', null]],
    [
      'IsTimestamp',
      [EARLY, LATE, '2016-03-14T01:59:00+01:00'],
      ['2016-03-14', '2016-03-14t01:59:00z', '2016-03-14T01:59:00', '2016-13-14T01:59:00Z', 1, null],
    ],
  ])('%s tells its type from all others', (operator, yes, no) => {
    const rule = (operand: boolean) => ({ Variable: '$.v', [operator]: operand }) as ChoiceRule;
    for (const v of yes) {
      expect(holds(rule(true), { v })).toBe(true);
      expect(holds(rule(false), { v })).toBe(false);
    }
    for (const v of no) {
      expect(holds(rule(true), { v }), JSON.stringify(v)).toBe(false);
      expect(holds(rule(false), { v }), JSON.stringify(v)).toBe(true);
    }
  });

  test('IsPresent is about the field, even where it is null', () => {
    expect(holds({ Variable: '$.v', IsPresent: true }, { v: null })).toBe(true);
    expect(holds({ Variable: '$.v', IsPresent: false }, { v: null })).toBe(false);
    expect(holds({ Variable: '$.v', IsPresent: true }, {})).toBe(false);
    expect(holds({ Variable: '$.v', IsPresent: false }, {})).toBe(true);
    expect(holds({ Variable: '$.a.b.c', IsPresent: false }, { a: 1 })).toBe(true);
  });
});

describe('And, Or, Not', () => {
  const is = (value: number): ChoiceRule => ({ Variable: '$.v', NumericEquals: value });
  const isOver = (value: number): ChoiceRule => ({ Variable: '$.v', NumericGreaterThan: value });

  test('combine rules, as deep as they are', () => {
    const rule: ChoiceRule = { Or: [{ And: [isOver(1), { Not: isOver(3) }] }, is(10)] };
    expect([1, 2, 3, 4, 10].filter((v) => holds(rule, { v }))).toEqual([2, 3, 10]);
  });

  test('stop at the first rule that decides', () => {
    const guarded: ChoiceRule = {
      And: [
        { Variable: '$.missing', IsPresent: true },
        { Variable: '$.missing', StringEquals: 'x' },
      ],
    };
    expect(holds(guarded, {})).toBe(false);
  });
});

describe('a path of a rule', () => {
  test('may look at the context object', () => {
    const rule: ChoiceRule = { Variable: '$$.State.Name', StringEqualsPath: '$.name' };
    expect(holds(rule, { name: 'S' }, { State: { Name: 'S' } })).toBe(true);
  });

  test.each<ChoiceRule>([
    { Variable: '$.missing', StringEquals: 'x' },
    { Variable: '$.missing', IsNull: true },
    { Variable: '$.missing', StringMatches: '*' },
    { Variable: '$.v', StringEqualsPath: '$.missing' },
  ])('that leads nowhere is States.Runtime: %j', (rule) => {
    expect(() => holds(rule, { v: 'x' })).toThrow(/^States.Runtime: Invalid path '\$.missing'/);
  });
});
