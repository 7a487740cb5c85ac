import { expect, test } from 'vitest';
import {
  chiSquaredTail,
  fairCoinShare,
  studentQuantile,
  studentTails,
} from '../../../src/core/diff/distributions.ts';
import { labelSignificance, meanShiftOf, shareOf } from '../../../src/core/diff/significance.ts';

// The expected values were computed by scipy 1.17.1 (chi2.sf, t.sf, t.isf, binom.cdf, binomtest, ttest_rel) and
// statsmodels 0.15.0 (SquareTable.symmetry).

/** Equal to so many digits, however small both are. */
const same = (value: number, expected: number, digits = 10) =>
  expect(Math.abs(value - expected)).toBeLessThanOrEqual(Math.abs(expected) * 10 ** -digits);

test.for([
  [0.5, 1, 0.47950012218695337],
  [3.84, 1, 0.05004352124870519],
  [12, 3, 0.007383160505359769],
  [2, 5, 0.8491450360846096],
  [40, 3, 1.065509033425585e-8],
  [120, 90, 0.01897310137202579],
  [700, 4, 3.4852862290889247e-150],
  [0, 4, 1],
] as const)('chi-squared beyond %d of %d degrees of freedom is %d', ([x, df, expected]) => {
  same(chiSquaredTail(x, df), expected);
});

test.for([
  [0.3, 1, 0.8144528418445154],
  [2.1, 4, 0.10365328631760218],
  [-2.1, 4, 0.10365328631760218],
  [5, 29, 2.536631573542329e-5],
  [12, 1e6, 3.571685124765094e-33],
  [0, 3, 1],
] as const)('Student’s t farther than %d of %d degrees of freedom is %d', ([t, df, expected]) => {
  same(studentTails(t, df), expected, 7);
});

test('Student’s t of ten million pairs is as good as normal', () => {
  same(studentTails(1.96, 9_999_999), 0.04999581802531695, 6);
});

test.for([
  [1, 12.706204736174705],
  [4, 2.7764451051977943],
  [29, 2.045229642132704],
  [9_999_999, 1.959964221767229],
] as const)('95 %% of Student’s t of %d degrees of freedom are within %d', ([df, expected]) => {
  same(studentQuantile(0.05, df), expected, 6);
});

test.for([
  [0, 5, 0.03125],
  [2, 9, 0.08984375],
  [10, 30, 0.049368573352694525],
  [450, 1000, 0.0008652680424881513],
  [4_998_000, 10_000_000, 0.10300830139751964],
  [5, 5, 1],
] as const)('at most %d heads of %d throws come with %d', ([heads, n, expected]) => {
  same(fairCoinShare(heads, n), expected, n > 1000 ? 5 : 10);
});

test.for([
  [0, 20, 0, 0.16112515805281935],
  [20, 20, 0.8388748419471808, 1],
  [1, 100, 0.001767432064140647, 0.054486196178705315],
  [37, 412, 0.06585591872396812, 0.12133431247964652],
  [310_000, 10_000_000, 0.030892758629367526, 0.03110760169933145],
] as const)('Wilson’s interval of %d in %d', ([rows, of, low, high]) => {
  const { share, interval } = shareOf(rows, of);
  expect(share).toBe(rows / of);
  same(interval?.[0] ?? Number.NaN, low);
  same(interval?.[1] ?? Number.NaN, high);
});

test('of no rows there is no share', () => {
  expect(shareOf(0, 0)).toEqual({ rows: 0, of: 0, share: null, interval: null });
});

test.for([
  [1, 9, 0.021484375],
  [10, 20, 0.09873714670538905],
  [15, 15, 1],
  [450, 550, 0.0017305360849763027],
  [6, 0, 0.03125],
] as const)('McNemar’s exact test of %d rows one way and %d the other', ([forth, back, expected]) => {
  const found = labelSignificance([
    { from: 'true', to: 'true', rows: 40 },
    { from: 'false', to: 'true', rows: forth },
    { from: 'true', to: 'false', rows: back },
  ]);
  expect(found?.test).toBe('mcnemar');
  same(found?.p ?? Number.NaN, expected);
});

test('of more than two labels it is Bowker’s test, over the pairs between which any row moved', () => {
  const table = { good: [10, 5, 3], bad: [12, 20, 4], mixed: [1, 9, 30] };
  const labels = Object.keys(table);
  const transitions = Object.entries(table).flatMap(([from, counts]) =>
    counts.map((rows, index) => ({ from, to: String(labels[index]), rows })),
  );
  const found = labelSignificance(transitions);
  expect(found?.test).toBe('bowker');
  same(found?.p ?? Number.NaN, 0.12146989098731517);
});

test('rows that kept their label say nothing', () => {
  expect(labelSignificance([{ from: 'good', to: 'good', rows: 9 }])).toBeNull();
});

test('a paired t-test of seven differences', () => {
  const { mean, interval, significance } = meanShiftOf({ n: 7, mean: 0.5, deviation: 0.8660254037844386 });
  expect(mean).toBe(0.5);
  expect(significance?.test).toBe('paired_t');
  same(significance?.p ?? Number.NaN, 0.17748883241624);
  same(interval?.[0] ?? Number.NaN, -0.30093991262545583);
  same(interval?.[1] ?? Number.NaN, 1.3009399126254557);
});

test('a single pair has no interval; pairs that all differ alike have one without width', () => {
  expect(meanShiftOf({ n: 1, mean: 2, deviation: 0 })).toEqual({
    mean: 2,
    interval: null,
    significance: null,
  });
  expect(meanShiftOf({ n: 9, mean: 2, deviation: 0 })).toEqual({
    mean: 2,
    interval: [2, 2],
    significance: { test: 'paired_t', p: 0 },
  });
  expect(meanShiftOf({ n: 9, mean: 0, deviation: 0 }).significance).toBeNull();
});

test('nothing of Student’s t distribution is beyond infinity', () => {
  expect(studentTails(Number.POSITIVE_INFINITY, 5)).toBe(0);
});
