import { posix } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isGlob, matchPattern } from '../../src/hub/file-pattern.ts';

const PATHS = [
  'README.md',
  'a.csv',
  'data/a.csv',
  'data/b.csv',
  'data/deep/er/c.csv',
  'data/.hidden/d.csv',
  'data/.e.csv',
  'data/__pycache__/f.csv',
  'data/x[1].csv',
  'data/dataset_info.json',
];

describe('a pattern means', () => {
  test.each<[string, string[]]>([
    ['a.csv', ['a.csv']],
    ['./a.csv', ['a.csv']],
    ['data//a.csv', ['data/a.csv']],
    ['*.csv', ['a.csv']],
    ['data/?.csv', ['data/a.csv', 'data/b.csv']],
    ['data/[b-z].csv', ['data/b.csv']],
    ['data/[!b].csv', ['data/a.csv']],
    ['data/*', ['data/a.csv', 'data/b.csv', 'data/x[1].csv']],
    ['data/**', ['data/a.csv', 'data/b.csv', 'data/deep/er/c.csv', 'data/x[1].csv']],
    ['**/c.csv', ['data/deep/er/c.csv']],
    ['**/a.csv', ['a.csv', 'data/a.csv']],
    ['**.csv', ['a.csv', 'data/a.csv', 'data/b.csv', 'data/deep/er/c.csv', 'data/x[1].csv']],
    ['data/d**/c.csv', ['data/deep/er/c.csv']],
    ['data/.*', ['data/.e.csv']],
    ['data/.hidden/*', ['data/.hidden/d.csv']],
    ['data/__*/*', ['data/__pycache__/f.csv']],
    ['data/x[[]1].csv', ['data/x[1].csv']],
    ['data/dataset_info.json', ['data/dataset_info.json']],
    ['data/x[1.csv', []],
    ['data/[z-a].csv', []],
    ['data/[az-b].csv', ['data/a.csv']],
    ['data/[!z-a].csv', ['data/a.csv', 'data/b.csv']],
    ['data/{a,b}.csv', []],
    ['data/@(a|b).csv', []],
    ['data', []],
  ])('%s', (pattern, expected) => {
    expect(matchPattern(pattern, PATHS)).toEqual(expected);
  });
});

test('any text is a pattern, and is dealt with at once', () => {
  const unit = fc.constantFrom(...'ab-/.*?[]!^{}()|+@\\,&~'.split(''));
  const pattern = fc.oneof(fc.string({ unit, maxLength: 12 }), fc.string());
  fc.assert(
    fc.property(pattern, fc.array(fc.string({ unit, minLength: 1 })), (glob, paths) => {
      const found = matchPattern(glob, paths);
      expect(paths).toEqual(expect.arrayContaining(found));
    }),
    { numRuns: 3000 },
  );
  expect(matchPattern(`*${'\\'.repeat(8)}`, PATHS)).toEqual([]);
});

test('only wildcards make a pattern a glob', () => {
  expect(['a*', 'a?', '[a]', 'data/a-(1).csv'].map(isGlob)).toEqual([true, true, true, false]);
});

test('patterns of folders, stars and single characters match as those of the platform do', () => {
  const part = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '-', '.', '1'), minLength: 1, maxLength: 4 });
  const plain = part.filter((name) => !/^\.+/.test(name));
  const path = fc.array(plain, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
  const piece = fc.oneof(plain, fc.constantFrom('*', '**', '?', 'a*', '*b', '[ab]', '[!a]*', '*-?'));
  const pattern = fc.array(piece, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
  fc.assert(
    fc.property(pattern, path, (glob, file) => {
      expect(matchPattern(glob, [file]).length === 1).toBe(posix.matchesGlob(file, glob));
    }),
    { numRuns: 2000 },
  );
});
