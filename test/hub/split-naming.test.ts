import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { filesBySplit, missingShards, SPLIT_KEYWORDS } from '../../src/hub/split-naming.ts';

const splitsOf = (...paths: string[]) => Object.fromEntries(filesBySplit(paths));

describe('the usual naming', () => {
  test('shards in data/ come first, with any name of a split', () => {
    const shards = ['data/random-00000-of-00002.parquet', 'data/random-00001-of-00002-5f0c.parquet'];
    expect(splitsOf(...shards, 'data/train-00000-of-00001.parquet', 'test.csv')).toEqual({
      random: shards,
      train: ['data/train-00000-of-00001.parquet'],
    });
  });

  test('then words in folder names', () => {
    expect(splitsOf('x/train/a.csv', 'x/my-val.2/b.csv', 'test.csv')).toEqual({
      train: ['x/train/a.csv'],
      validation: ['x/my-val.2/b.csv'],
    });
  });

  test('then words in file names', () => {
    expect(splitsOf('my_train_0.csv', 'dev.csv', 'data/evaluation-1.csv', 'notes.csv')).toEqual({
      train: ['my_train_0.csv'],
      validation: ['dev.csv'],
      test: ['data/evaluation-1.csv'],
    });
  });

  test('and without any word, all files are train', () => {
    expect(splitsOf('training_2.csv'.replace('training', 'trainings'), 'testfile.csv', 'README.md')).toEqual({
      train: ['trainings_2.csv', 'testfile.csv'],
    });
    expect(splitsOf('README.md', '.gitattributes')).toEqual({});
  });
});

const separator = fc.constantFrom('-', '.', '_', ' ', '0', '7');
const other = fc.string({ unit: fc.constantFrom('x', 'y', 'Z'), minLength: 1, maxLength: 5 });
const keyword = fc.constantFrom(
  ...Object.entries(SPLIT_KEYWORDS).flatMap(([split, words]) => words.map((word) => ({ split, word }))),
);

test('a word between separators, at either end or in the middle, gives the file to its split', () => {
  fc.assert(
    fc.property(
      keyword,
      separator,
      separator,
      other,
      fc.boolean(),
      fc.boolean(),
      (named, before, after, text, hasHead, inFolder) => {
        const head = hasHead ? `${text}${before}` : '';
        const path = inFolder
          ? `${head}${named.word}${after}${text}/part.csv`
          : `${head}${named.word}${after}csv`;
        expect(splitsOf(path, 'zz/other.csv')).toEqual({ [named.split]: [path] });
      },
    ),
  );
});

test('a word inside another word says nothing', () => {
  fc.assert(
    fc.property(keyword, other, fc.boolean(), ({ word }, text, isBefore) => {
      const path = `${isBefore ? text + word : word + text}.csv`;
      expect(splitsOf(path)).toEqual({ train: [path] });
    }),
  );
});

test('every file of every split was given, in the order given, and no data is dropped where no name has a word', () => {
  const name = fc.oneof(
    other,
    keyword.map(({ word }) => word),
  );
  const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => `${parts.join('/')}.csv`);
  fc.assert(
    fc.property(fc.uniqueArray(path, { minLength: 1, maxLength: 8 }), (paths) => {
      const splits = filesBySplit(paths);
      expect(splits.size).toBeGreaterThan(0);
      for (const files of splits.values()) {
        expect(files.length).toBeGreaterThan(0);
        expect(files).toEqual(paths.filter((file) => files.includes(file)));
      }
      const hasWord = paths.some((file) =>
        /(?:^|\/)(?:train|training|valid|validation|val|dev|test|testing|eval|evaluation)[/.]/.test(file),
      );
      if (!hasWord) expect(Object.fromEntries(splits)).toEqual({ train: paths });
    }),
  );
});

test('the shards that are missing are exactly those taken away', () => {
  const shard = (index: number, count: number) =>
    `data/train-${String(index).padStart(5, '0')}-of-${String(count).padStart(5, '0')}.parquet`;
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.infiniteStream(fc.boolean()), (count, coins) => {
      const kept = Array.from({ length: count }, (_, index) => index).filter(
        () => coins.next().value === true,
      );
      const missing = missingShards(kept.map((index) => shard(index, count)));
      const expected = Array.from({ length: count }, (_, index) => index).filter(
        (index) => !kept.includes(index),
      );
      expect(missing.map(({ index }) => index)).toEqual(kept.length === 0 ? [] : expected);
    }),
  );
  expect(missingShards(['train.csv'])).toEqual([]);
});
