import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RECORD_ID_DIGITS, recordIdOf } from '../../src/core/record-id.ts';

test('a record id is eleven alphanumeric characters, the form that Bedrock documented first', () => {
  expect(recordIdOf(0)).toBe('r0000000000');
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10 ** RECORD_ID_DIGITS - 1 }), (row) => {
      expect(recordIdOf(row)).toMatch(/^[a-zA-Z0-9]{11}$/);
      expect(Number(recordIdOf(row).slice(1))).toBe(row);
    }),
  );
});

test('record ids sort as their rows do', () => {
  const rows = [0, 9, 10, 99_999, 100_000, 9_999_999_999];
  expect(rows.map(recordIdOf).toSorted()).toEqual(rows.map(recordIdOf));
});
