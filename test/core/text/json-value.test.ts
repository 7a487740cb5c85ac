import { expect, test } from 'vitest';
import { isJsonObject, withoutUndefined } from '../../../src/core/text/json-value.ts';

test('an object is one, and null, a list and anything else are none', () => {
  expect([{}, { a: 1 }].every(isJsonObject)).toBe(true);
  expect([null, undefined, [], 'text', 1, true].some(isJsonObject)).toBe(false);
});

test('members that are undefined go, and null, 0 and false stay', () => {
  expect(Object.entries(withoutUndefined({ a: undefined, b: null, c: 0, d: false }))).toEqual([
    ['b', null],
    ['c', 0],
    ['d', false],
  ]);
});
