import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseKeyPattern } from '../../../src/core/text/key-pattern.ts';

test.each([
  ['p/*.csv', 'p/', ['p/a.csv', 'p/.csv'], ['p/q/a.csv', 'p/a.csv.gz', 'q/a.csv']],
  ['*.csv', '', ['a.csv'], ['p/a.csv']],
  ['p/**/*.csv', 'p/', ['p/a.csv', 'p/q/a.csv', 'p/q/r/a.csv'], ['pa.csv', 'p/q/a.tsv']],
  ['p/day=?/x*', 'p/', ['p/day=1/x', 'p/day=1/x1'], ['p/day=12/x', 'p/day=/x']],
  ['p/[a-c][!0-9].csv', 'p/', ['p/ab.csv', 'p/c-.csv'], ['p/db.csv', 'p/a1.csv']],
  ['p/[]x].csv', 'p/', ['p/].csv', 'p/x.csv'], ['p/y.csv']],
  ['p/a[.csv?', 'p/', ['p/a[.csv1'], ['p/a.csv1']],
  ['p/**', 'p/', ['p/a', 'p/b/c'], ['q/a']],
  ['p/***b', 'p/', ['p/b', 'p/ab'], ['p/ba']],
  ['p/a\\*.csv', 'p/', ['p/a\\x.csv'], ['p/a*.csv']],
])('%s', (text, folder, matching, others) => {
  const pattern = parseKeyPattern(text);
  expect(pattern?.folder).toBe(folder);
  expect(
    [...matching, ...others].filter(
      (key) => key.startsWith(folder) && pattern?.matches(key.slice(folder.length)),
    ),
  ).toEqual(matching);
});

test('a key without such characters is no pattern', () => {
  expect(parseKeyPattern('p/a.csv')).toBeUndefined();
});

test('a pattern of stars takes no time, whatever the key', () => {
  const pattern = parseKeyPattern(`${'*a'.repeat(40)}b`);
  expect(pattern?.matches('a'.repeat(1024))).toBe(false);
});

test('a name in which some characters became stars is matched by what it became', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('a', 'b', '-'), { minLength: 1 }),
      fc.infiniteStream(fc.boolean()),
      (name, starred) => {
        const pattern = parseKeyPattern(
          `*${name.map((character) => (starred.next().value ? '*' : character)).join('')}`,
        );
        expect(pattern?.matches(name.join(''))).toBe(true);
      },
    ),
  );
});
