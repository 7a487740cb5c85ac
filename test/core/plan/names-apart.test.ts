import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  columnGiven,
  foldName,
  givenName,
  isApart,
  keepApart,
  namesAsRead,
} from '../../../src/core/plan/names-apart.ts';

const columns = (...names: string[]) => names.map((name) => ({ name, type: 'VARCHAR' }));

test('columns keep their names where all can be told apart', () => {
  const given = columns('a', 'B', 'a_1', 'ä', 'Ä');
  expect(keepApart(given)).toEqual(given);
});

test('columns whose names differ by capitals alone, and those that DuckDB would take for one, are kept apart', () => {
  expect(keepApart(columns('a', 'A', 'b', 'A_1', 'a_2_1', 'a_x')).map(({ name }) => name)).toEqual([
    '__quarry_0_a',
    '__quarry_1_A',
    'b',
    '__quarry_3_A_1',
    '__quarry_4_a_2_1',
    'a_x',
  ]);
  expect(columnGiven(keepApart(columns('a', 'A')), 'A')).toEqual({ name: '__quarry_1_A', type: 'VARCHAR' });
  expect(columnGiven(columns('a'), 'A')).toBeUndefined();
  expect([givenName('__quarry_1_A'), givenName('__quarry_prompt_0_json')]).toEqual([
    'A',
    '__quarry_prompt_0_json',
  ]);
});

test('DuckDB’s names are those that it gives', () => {
  expect(namesAsRead(['a', 'A', 'A_1', 'b', 'a'])).toEqual(['a', 'A_1', 'A_1_1', 'b', 'a_2']);
  expect(namesAsRead(['a_1', 'a', 'A'])).toEqual(['a_1', 'a', 'A_1_1']);
});

test('whatever names there are, those that are not kept apart are DuckDB’s own, and nobody else’s', () => {
  const name = fc.stringMatching(/^[aA](?:_[12]){0,2}$/);
  fc.assert(
    fc.property(fc.uniqueArray(name, { minLength: 1, maxLength: 6 }), (names) => {
      const apart = keepApart(columns(...names)).map((column) => column.name);
      expect(apart.map(givenName)).toEqual(names);
      expect(new Set(apart.map(foldName)).size).toBe(names.length);
      const read = namesAsRead(names).map(foldName);
      for (const [place, kept] of apart.entries()) {
        if (!isApart(kept)) expect(read.indexOf(foldName(kept))).toBe(place);
      }
    }),
    { numRuns: 200, seed: 11 },
  );
});
