import { expect, test } from 'vitest';
import {
  checkCondition,
  type MetricValue,
  parseFailConditions,
} from '../../../src/core/diff/fail-condition.ts';

const HELP =
  "Write such as 'changed>1%', 'newly_failed>0' or 'shift.score<-0.1'; several with a comma between.";

test('conditions are read as they are written', () => {
  expect(parseFailConditions('changed>1%')).toEqual([
    { text: 'changed>1%', metric: 'changed', column: undefined, operator: '>', bound: 1, isPercent: true },
  ]);
  expect(
    parseFailConditions(
      ' newly_failed >= 10 , shift.score<-0.1, changed."a, \\"b\\"" <= .5 %, p.mood<1e-3',
    ).map(({ metric, column, operator, bound, isPercent }) => [metric, column, operator, bound, isPercent]),
  ).toEqual([
    ['newly_failed', undefined, '>=', 10, false],
    ['shift', 'score', '<', -0.1, false],
    ['changed', 'a, "b"', '<=', 0.5, true],
    ['p', 'mood', '<', 0.001, false],
  ]);
});

test.for([
  ['', `The condition "" is empty, or ends with a comma. ${HELP}`],
  ['changed>1%,', `The condition "changed>1%," is empty, or ends with a comma. ${HELP}`],
  ['changed', `The condition "changed" is not METRIC, an operator (>, >=, <, <=) and a number. ${HELP}`],
  ['changed=1', `The condition "changed=1" is not METRIC, an operator (>, >=, <, <=) and a number. ${HELP}`],
  [
    'changed>1%%',
    `The condition "changed>1%%" is not METRIC, an operator (>, >=, <, <=) and a number. ${HELP}`,
  ],
  ['a"b>1', `The condition "a"b>1" is not METRIC, an operator (>, >=, <, <=) and a number. ${HELP}`],
  [
    'chnaged>1%',
    'The condition "chnaged>1%": "chnaged" is no metric. Did you mean changed? Metrics: changed, newly_failed, newly_mended, newly_truncated, newly_refused, only_in_a, only_in_b, cost, input_tokens, output_tokens, length, shift, p, distance.',
  ],
  [
    'toString>1',
    'The condition "toString>1": "toString" is no metric. Metrics: changed, newly_failed, newly_mended, newly_truncated, newly_refused, only_in_a, only_in_b, cost, input_tokens, output_tokens, length, shift, p, distance.',
  ],
  [
    'shift>1',
    'The condition "shift>1": shift is of a typed column: shift.COLUMN, and "shift.\\"a name\\"" where the name has spaces.',
  ],
  ['cost.mood>1%', 'The condition "cost.mood>1%": cost is not of a column. Write cost alone.'],
  ['cost>1', 'The condition "cost>1": cost is how much more the second run has, in percent: cost>10%.'],
  ['distance>1%', 'The condition "distance>1%": distance is a number, not a percentage. Leave the % out.'],
] as const)('%s is refused', ([text, message]) => {
  expect(() => parseFailConditions(text)).toThrow(
    expect.objectContaining({ name: 'InvalidRunInputError', message }),
  );
});

test.for<[string, MetricValue, number, boolean]>([
  ['changed>1%', { rows: 1, of: 100 }, 1, false],
  ['changed>=1%', { rows: 1, of: 100 }, 1, true],
  ['changed>2', { rows: 3, of: 3000 }, 3, true],
  ['cost<-5%', { change: -0.25 }, -25, true],
  ['shift.score<=0.5', { number: 0.5 }, 0.5, true],
  ['distance<0.5', { number: 0.5 }, 0.5, false],
])('%s is checked', ([text, found, value, holds]) => {
  const checked = parseFailConditions(text).map((condition) => checkCondition(condition, () => found));
  expect(checked).toEqual([{ condition: text, value, holds }]);
});

test('a condition about what is not known does not pass for kept', () => {
  const [changed, cost] = parseFailConditions('changed>1%, cost>1%');
  if (changed === undefined || cost === undefined) throw new Error('Two conditions were expected.');
  expect(() => checkCondition(changed, () => ({ rows: 0, of: 0 }))).toThrow(
    'The condition "changed>1%": there are no rows that this could be a share of.',
  );
  expect(() => checkCondition(cost, () => 'No price is known.')).toThrow(
    'The condition "cost>1%": No price is known.',
  );
});
