import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  compilePath,
  compileReferencePath,
  describeMiss,
  NO_MATCH,
  setAtPath,
} from '../../../src/engine/data/json-path.ts';

const data = {
  name: 'quarry',
  'with space': 1,
  'with-dash': 2,
  "it's": 3,
  'back\\slash': 4,
  "a\\'b": 5,
  'ma\\ny': [6],
  texts: ['a', 'b', ['a'], { a: 1 }],
  nothing: null,
  list: [
    { id: 1, price: 5, tags: ['a'] },
    { id: 2, price: 15 },
  ],
};
const find = (path: string, context: unknown = {}) =>
  compilePath(path).find({ data, context, random: () => 0 });

describe('a path', () => {
  test.each([
    ['$', data],
    ['$.name', 'quarry'],
    ['$.nothing', null],
    ["$['with space']", 1],
    ['$["with space"]', 1],
    ['$.with-dash', 2],
    [`$["it's"]`, 3],
    // A backslash in a name stands for itself.
    ["$['back\\slash']", 4],
    ["$['a\\'b']", 5],
    // Neither spaces in brackets nor a dot before them mean anything.
    ['$.list[ 0 ].id', 1],
    ["$[ 'name' ]", 'quarry'],
    ['$.list.[1].id', 2],
    ["$.['name']", 'quarry'],
    ['$.list[1].id', 2],
    ['$.list[-1].id', 2],
    ['$.list[0].tags[0]', 'a'],
  ])('%s leads to one place', (path, expected) => {
    expect(find(path)).toEqual(expected);
  });

  test.each([
    '$.missing',
    '$.name.first',
    '$.list.length',
    '$.list[2]',
    '$.list[-3]',
    '$.name[0]',
    '$.constructor',
    '$.nothing.more',
  ])('%s leads nowhere', (path) => {
    expect(find(path)).toBe(NO_MATCH);
  });

  test.each([
    ['$.list[*].id', [1, 2]],
    ['$..id', [1, 2]],
    ['$.list[0:1].id', [1]],
    ['$.list[0,1].price', [5, 15]],
    ['$.list[?(@.price > 10)].id', [2]],
    ["$.list[?(@.price > 1 && @.tags[0] == 'a')].id", [1]],
    ['$.list[?(@.price > 100)]', []],
    ['$.missing[*]', []],
    ['$.list.[?(@.price > 10)].id', [2]],
    ["$['ma\\ny'][*]", [6]],
    ["$['name','with space']", ['quarry', 1]],
    ["$.list[?(@['id'] == 2)].price", [15]],
    // "The @ operator … does not match scalar values."
    ["$.texts[?(@ == 'a')]", []],
    ["$.texts[?(@ != 'z')]", [['a'], { a: 1 }]],
  ])('%s leads to every place that fits', (path, expected) => {
    expect(find(path)).toEqual(expected);
  });

  test('looks at the context object with $$', () => {
    expect(find('$$.Execution.Name', { Execution: { Name: 'run' } })).toBe('run');
    expect(find('$$', { a: 1 })).toEqual({ a: 1 });
    expect(find('$$.Execution[*]', { Execution: { Name: 'run' } })).toEqual(['run']);
  });

  test('says what is missing in the words of Step Functions', () => {
    const miss = (path: string) => {
      const compiled = compilePath(path);
      return describeMiss(compiled, { data, context: { Map: {} }, random: () => 0 });
    };
    expect(miss('$.missing')).toBe("No results for path: $['missing']");
    expect(miss('$.missing.more')).toBe("Missing property in path $['missing']");
    expect(miss('$.list[0].missing.more')).toBe("Missing property in path $['list'][0]['missing']");
    expect(miss('$.list[0].missing')).toBe("No results for path: $['list'][0]['missing']");
    expect(miss('$.list[7].id')).toBe("No results for path: $['list'][7]['id']");
    expect(miss('$.name.first')).toBe("No results for path: $['name']['first']");
    expect(miss('$$.Map.Item.Index')).toBe("Missing property in path $['Map']['Item']");
  });

  test.each([
    'name',
    '$.list.length()',
    '$.list[?length(@.tags) > 0]',
    '$.',
    '$.list[(@.length-1)]',
    '$.a b',
  ])('%s is refused, before anything runs', (path) => {
    expect(() => compilePath(path)).toThrow(/is not a path/);
  });

  test.each(['$.list[*]', '$..id', '$$.Execution'])('%s is refused as a reference path', (path) => {
    expect(() => compileReferencePath(path)).toThrow(/is not a reference path/);
  });
});

describe('setting a value at a path', () => {
  const set = (root: unknown, path: string, value: unknown) =>
    setAtPath(root, compileReferencePath(path).segments, value);

  test('replaces everything at $', () => {
    expect(set({ a: 1 }, '$', 2)).toBe(2);
  });

  test('adds, replaces, and makes the objects on the way', () => {
    expect(set({ a: 1 }, '$.b', 2)).toEqual({ a: 1, b: 2 });
    expect(set({ a: 1 }, '$.a', 2)).toEqual({ a: 2 });
    expect(set({ a: 1 }, '$.b.c.d', 2)).toEqual({ a: 1, b: { c: { d: 2 } } });
    expect(set({ a: [1, 2] }, '$.a[1]', 3)).toEqual({ a: [1, 3] });
  });

  test('leaves the original as it was', () => {
    const original = { a: { b: [1] } };
    set(original, '$.a.b[0]', 2);
    expect(original).toEqual({ a: { b: [1] } });
  });

  test.each([
    ['text', '$.a'],
    [[1], '$.a'],
    [null, '$.a'],
    [{ a: 1 }, '$.a.b'],
    [{ a: [1] }, '$.a[1]'],
    [{ a: {} }, '$.a[0]'],
  ])('fails with States.ResultPathMatchFailure where %j has no room at %s', (root, path) => {
    expect(() => set(root, path, 1)).toThrow(/^States.ResultPathMatchFailure/);
  });

  test('is what a path then finds', () => {
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[A-Za-z_][\w-]*$/), { minLength: 1, maxLength: 4 }),
        fc.jsonValue(),
        (names, value) => {
          const path = `$.${names.join('.')}`;
          const changed = set({}, path, value);
          expect(compilePath(path).find({ data: changed, context: {}, random: () => 0 })).toBe(value);
        },
      ),
    );
  });
});
