import { expect, test } from 'vitest';
import { parseFailConditions } from '../../../src/core/diff/fail-condition.ts';
import { checkConditions, requireColumns } from '../../../src/report/diff/diff-metrics.ts';
import { runDiff } from '../../support/run-diff.ts';

const DISTANCES = {
  rows: 90,
  without: 0,
  mean: 0.02,
  quantiles: { min: 0, p05: 0, p25: 0, median: 0, p75: 0, p95: 0.1, max: 0.4 },
  buckets: [],
};

test.for([
  ['changed>1%', 10],
  ['changed.mood>1', 6],
  ['newly_failed>0', 2],
  ['newly_mended>1%', 100 / 95],
  ['newly_truncated>0', 3],
  ['newly_refused>0', 1],
  ['only_in_a>1%', 5],
  ['only_in_b>0', 5],
  ['cost>10%', 50],
  ['output_tokens>10%', 25],
  ['length>10%', 25],
  ['shift.score>1', 5],
  ['p.mood<0.1', 0.0625],
  ['distance>0.01', 0.02],
] as const)('%s is about %d', ([condition, value]) => {
  const diff = runDiff({ distances: DISTANCES });
  const [checked] = checkConditions(diff, parseFailConditions(condition));
  expect(checked).toEqual({ condition, value: expect.closeTo(value, 9), holds: true });
});

test.for([
  ['input_tokens>1%', 'there is nothing that it could be a change of.'],
  ['shift.mood>1', '"mood" has no row with a number in both runs.'],
  ['p.text>1', '"text" is not in the results of both runs.'],
  ['distance>1', 'there are no distances: it is of embeddings alone.'],
] as const)('%s is refused where it is not known', ([condition, message]) => {
  expect(() => checkConditions(runDiff(), parseFailConditions(condition))).toThrow(
    `The condition "${condition}": ${message}`,
  );
});

test('a cost without a price is no cost that is kept', () => {
  const diff = runDiff({ b: { ...runDiff().b, cost_usd: null } });
  expect(() => checkConditions(diff, parseFailConditions('cost>1%'))).toThrow(
    'The condition "cost>1%": no price is known of us.amazon.nova-pro-v1:0.',
  );
});

test('of a column in which no row moved, nothing is beyond chance; of prose there is no test', () => {
  const columns = runDiff().columns.map((column) => ({ ...column, significance: null }));
  const still = columns.map((column) => ({ ...column, changed: { ...column.changed, rows: 0 } }));
  const conditions = parseFailConditions('p.mood<0.05');
  expect(checkConditions(runDiff({ columns: still }), conditions)).toEqual([
    { condition: 'p.mood<0.05', value: 1, holds: false },
  ]);
  expect(() => checkConditions(runDiff({ columns }), conditions)).toThrow('there is no test of "mood"');
});

test('a column that is not typed in both is refused before anything is read', () => {
  expect(() => requireColumns(parseFailConditions('changed.mod>1%'), ['mood', 'stars'])).toThrow(
    'The condition "changed.mod>1%": "mod" is no typed column of both runs. Typed columns: mood, stars.',
  );
  expect(() => requireColumns(parseFailConditions('changed.mod>1%'), [])).toThrow(
    'They have none: a column is typed by output_schema.',
  );
});
