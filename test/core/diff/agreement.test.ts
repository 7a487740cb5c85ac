import { expect, test } from 'vitest';
import { kappaOf } from '../../../src/core/diff/agreement.ts';

test('kappa is what two agree beyond what guessing would', () => {
  // 50 grants that two readers say yes or no to: a common example of textbooks.
  const table = [
    { a: 'yes', b: 'yes', rows: 20 },
    { a: 'yes', b: 'no', rows: 5 },
    { a: 'no', b: 'yes', rows: 10 },
    { a: 'no', b: 'no', rows: 15 },
  ];
  expect(kappaOf(table)).toBeCloseTo(0.4, 12);
  expect(
    kappaOf([
      { a: 'x', b: 'x', rows: 3 },
      { a: null, b: null, rows: 1 },
    ]),
  ).toBe(1);
  expect(
    kappaOf([
      { a: 'x', b: 'y', rows: 2 },
      { a: 'y', b: 'x', rows: 2 },
    ]),
  ).toBe(-1);
});

test('what only one of them says counts as never said by the other', () => {
  expect(
    kappaOf([
      { a: 'x', b: 'x', rows: 2 },
      { a: 'y', b: 'z', rows: 2 },
    ]),
  ).toBeCloseTo(1 / 3, 12);
  expect(
    kappaOf([
      { a: 'x', b: 'x', rows: 3 },
      { a: 'x', b: 'z', rows: 1 },
    ]),
  ).toBe(0);
});

test('where there is nothing to disagree on, there is no kappa', () => {
  expect(kappaOf([])).toBeNull();
  expect(kappaOf([{ a: 'x', b: 'x', rows: 7 }])).toBeNull();
});
