/** Footers that say what is not so: values count, and counts of rows that contradict each other are refused. */
import { readFile } from 'node:fs/promises';
import type { FileMetaData } from 'hyparquet';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, test } from 'vitest';
import { openRequestIndex } from '../../../src/rows/prepare/request-index.ts';
import { describeDataset } from '../../../src/rows/sources/describe-dataset.ts';
import { samplePromptBytes } from '../../../src/rows/sources/prompt-sample.ts';
import { checkRecordIds } from '../../../src/rows/sources/record-id-check.ts';
import { everyColumn, withFooter } from '../../support/lying-parquet.ts';
import {
  converseFrame,
  createDirectory,
  prepareAll,
  promptOf,
  query,
  readRecords,
  writeParquet,
  writeSource,
} from '../../support/rows.ts';

const TEXTS = ['one', null, 'two', null, 'two', 'three'];

const file = (edit: (footer: FileMetaData) => void) =>
  writeSource(
    'lying.parquet',
    withFooter(
      parquetWriteBuffer({
        columnData: [
          { name: 'text', data: TEXTS, type: 'STRING' },
          { name: 'n', data: [6, 5, 4, 3, 2, 1], type: 'INT32' },
        ],
        rowGroupSize: 4,
      }),
      edit,
    ),
  );

/** False statistics of every kind that a reader may go by. */
const LIES: Record<string, (footer: FileMetaData) => void> = {
  'no nulls': (footer) =>
    everyColumn(footer, (column) => {
      column.statistics = { ...column.statistics, null_count: 0n };
    }),
  'nulls only': (footer) =>
    everyColumn(footer, (column) => {
      column.statistics = { null_count: column.num_values };
    }),
  'other values': (footer) =>
    everyColumn(footer, (column) => {
      const value = column.type === 'INT32' ? 7 : 'zzz';
      column.statistics = { null_count: 0n, min_value: value, max_value: value, distinct_count: 1n };
    }),
};

test.each(Object.entries(LIES))('values count where statistics say: %s', async (_, lie) => {
  const lying = await file(lie);
  const [part] = await prepareAll([lying], '{text} {n}');
  const records = await readRecords(part?.recordsPath ?? '');
  expect(records.map(promptOf)).toEqual(['one 6', 'two 4', 'two 2', 'three 1']);
  expect(part?.part).toMatchObject({ rows: 6, records: 4 });
  expect(await query(`SELECT text, n, __quarry_error_code AS code FROM '${part?.rowsPath}'`)).toEqual(
    TEXTS.map((text, index) => ({ text, n: 6 - index, code: text === null ? 'NullPromptValue' : null })),
  );
});

test.each(Object.entries(LIES))(
  'identical requests are found by values where statistics say: %s',
  async (_, lie) => {
    const lying = await file(lie);
    const scratchDirectory = await createDirectory();
    const dataset = await describeDataset([lying]);
    const asked = { answerer: 'bedrock', modelId: 'm', invocationType: 'InvokeModel' as const };
    const frame = converseFrame('{text}');
    await using index = await openRequestIndex({
      files: [lying],
      dataset,
      frame,
      asked,
      recordIdColumn: undefined,
      rows: 6,
      scratchDirectory,
    });
    expect(index.unsent).toBe(1);
    const duplicatesPath = `${scratchDirectory}/duplicates.parquet`;
    await index.save(duplicatesPath, 6);
    const [part] = await prepareAll([lying], '{text}', {
      dataset,
      unsent: { asked, duplicatesPath, laid: undefined },
    });
    // The rows are sorted meanwhile.
    expect(await query(`SELECT n, __quarry_answered_by_row AS "by" FROM '${part?.rowsPath}'`)).toEqual(
      [6, 5, 4, 3, 2, 1].map((n) => ({ n, by: n === 2 ? '2' : null })),
    );
  },
);

test('a column that has nulls gives no record ids, whatever its statistics say', async () => {
  const lying = await file(LIES['no nulls'] ?? (() => {}));
  const dataset = await describeDataset([lying]);
  await expect(checkRecordIds([lying], dataset, { column: 'text', isNamed: true })).rejects.toThrow(
    'Column "text" cannot give the record ids: rows without a value (null): 2; values that several rows have: 1, such as "two" (2 rows).',
  );
});

const firstGroup = ({ row_groups: [group] }: FileMetaData) => {
  if (group === undefined) throw new Error('The file has no row group.');
  return group;
};

test.each<[string, (footer: FileMetaData) => void, string]>([
  [
    'no rows',
    (footer) => {
      footer.num_rows = 0n;
    },
    '0 rows in the file, but 6 in its row groups',
  ],
  [
    'more rows',
    (footer) => {
      footer.num_rows = 9n;
    },
    '9 rows in the file, but 6 in its row groups',
  ],
  [
    'a row group of fewer rows',
    (footer) => {
      footer.num_rows = 5n;
      firstGroup(footer).num_rows = 3n;
    },
    '3 rows in row group 0, but 4 values of its column text',
  ],
  [
    'a column of fewer values',
    (footer) => {
      for (const { meta_data } of firstGroup(footer).columns.slice(1)) {
        if (meta_data !== undefined) meta_data.num_values = 2n;
      }
    },
    '4 rows in row group 0, but 2 values of its column n',
  ],
])('a footer that tells of %s is refused', async (_, lie, message) => {
  await expect(describeDataset([await file(lie)])).rejects.toThrow(
    `s3://data/lying.parquet contradicts itself: its footer tells of ${message}. Have it written again by what made it.`,
  );
});

/** All counts of the footer agree with each other, though not with the pages. */
const agreedLie = (rows: bigint) => (footer: FileMetaData) => {
  footer.num_rows = rows + 2n;
  const group = firstGroup(footer);
  group.num_rows = rows;
  for (const { meta_data } of group.columns) if (meta_data !== undefined) meta_data.num_values = rows;
};

test.each([
  ['fewer', 3n],
  ['more', 5n],
])(
  'a footer whose counts agree, on %s rows than its pages have, is refused before a row is read',
  async (_, rows) => {
    const lying = await file(agreedLie(rows));
    const dataset = await describeDataset([lying]);
    expect(dataset.rows).toBe(Number(rows) + 2);
    const message = `s3://data/lying.parquet contradicts itself: its footer tells of ${rows} values of the column text in row group 0, but its pages have 4. Have it written again by what made it.`;
    await expect(prepareAll([lying], '{text}', { dataset })).rejects.toMatchObject({
      name: 'InvalidDatasetError',
      message,
    });
    const sampled = samplePromptBytes([lying], dataset, converseFrame('{text}'));
    await expect(sampled).rejects.toThrow(message);
  },
);

describe('where all columns are lists', () => {
  const LISTS = `SELECT CASE WHEN i % 7 <> 3 THEN list_transform(range(i % 4), lambda x: x + i) END AS numbers,
    {'of': [[i, i + 1], [], NULL]} AS nested FROM range(3000) r(i)`;
  const other = (change: bigint) => (footer: FileMetaData) => {
    footer.num_rows += change;
    firstGroup(footer).num_rows += change;
  };

  test.each(['uncompressed', 'snappy', 'gzip', 'zstd', 'brotli', 'lz4_raw'])(
    'their rows are counted in pages that are packed with %s',
    async (codec) => {
      const good = await writeParquet('lists.parquet', LISTS, `, COMPRESSION ${codec}`);
      const [part] = await prepareAll([good], '{numbers} {nested}');
      expect(part?.part).toMatchObject({ rows: 3000 });
      const bytes = await readFile(good.path);
      for (const change of [-1n, 1n]) {
        const lying = await writeSource('lying.parquet', withFooter(bytes, other(change)));
        const dataset = await describeDataset([lying]);
        const message = `s3://data/lying.parquet contradicts itself: its footer tells of ${3000n + change} rows of the column numbers.list.element in row group 0, but its pages have 3000. Have it written again by what made it.`;
        const sampled = samplePromptBytes([lying], dataset, converseFrame('{numbers}'));
        await expect(sampled).rejects.toThrow(message);
        await expect(prepareAll([lying], '{nested}', { dataset })).rejects.toThrow('but its pages have 3000');
      }
    },
  );

  test('their rows are counted in pages of the second version, too', async () => {
    const good = await writeParquet('lists.parquet', LISTS, ', PARQUET_VERSION V2');
    expect((await prepareAll([good], '{numbers}'))[0]?.part).toMatchObject({ rows: 3000 });
  });
});

test('of many pages each is counted, also where a header is longer than is read at once', async () => {
  const long = 'x'.repeat(40_000);
  const data = Array.from({ length: 3000 }, (_, row) => `${row}${row % 100 === 0 ? long : ''}`);
  const bytes = parquetWriteBuffer({
    columnData: [{ name: 'text', data, type: 'STRING' }],
    pageSize: 2000,
    rowGroupSize: 3000,
    statistics: true,
  });
  const good = await writeSource(
    'good.parquet',
    withFooter(bytes, () => {}),
  );
  const [part] = await prepareAll([good], '{text}');
  expect(part?.part).toMatchObject({ rows: 3000 });
  const lying = await writeSource(
    'lying.parquet',
    withFooter(bytes, (footer) => {
      footer.num_rows = 2999n;
      firstGroup(footer).num_rows = 2999n;
      everyColumn(footer, (column) => {
        column.num_values = 2999n;
      });
    }),
  );
  await expect(prepareAll([lying], '{text}')).rejects.toThrow(
    'its footer tells of 2999 values of the column text in row group 0, but its pages have 3000',
  );
});

test('the one lying file of many is named', async () => {
  const lying = await file((footer) => {
    footer.num_rows = 0n;
  });
  const good = { ...(await file(() => {})), uri: 's3://data/good.parquet' as const };
  await expect(describeDataset([good, lying, good])).rejects.toThrow(
    's3://data/lying.parquet contradicts itself',
  );
});

test('lists have as many values as they like', async () => {
  const source = await writeParquet(
    'lists.parquet',
    `SELECT unnest([[1, 2, 3], [], NULL]) AS lists, unnest([{'a': 1, 'b': [1, 2]}, NULL, {'a': 2, 'b': []}]) AS structs`,
  );
  await expect(describeDataset([source])).resolves.toMatchObject({ rows: 3 });
});
