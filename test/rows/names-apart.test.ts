/** Columns whose names differ by capitals alone, which DuckDB takes for one. */
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tableFromIPC } from '@uwdata/flechette';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { expect, test } from 'vitest';
import { namesAsRead } from '../../src/core/plan/names-apart.ts';
import { parseRunInput } from '../../src/core/run-input/run-input.ts';
import { readRowRequest } from '../../src/rows/answers/row-request.ts';
import { openDuckDb } from '../../src/rows/duckdb/duckdb.ts';
import { giveNamesBack, renameColumns } from '../../src/rows/parquet/column-renaming.ts';
import { readParquetFooter } from '../../src/rows/parquet/parquet-footer.ts';
import { lookAtRows } from '../../src/rows/prepare/look-at-rows.ts';
import { openRequestIndex } from '../../src/rows/prepare/request-index.ts';
import { readArrowBatches } from '../../src/rows/results/arrow-batches.ts';
import { copyResults } from '../../src/rows/results/copy-results.ts';
import { readPlaces } from '../../src/rows/results/read-places.ts';
import { readResultTexts } from '../../src/rows/results/read-results.ts';
import { resultColumnsOf } from '../../src/rows/results/result-columns.ts';
import { type DescribeOptions, describeDataset } from '../../src/rows/sources/describe-dataset.ts';
import { samplePromptBytes } from '../../src/rows/sources/prompt-sample.ts';
import { checkRecordIds } from '../../src/rows/sources/record-id-check.ts';
import { checkColumns } from '../../src/steps/plan/dataset-columns.ts';
import { modelCallOf } from '../../src/steps/plan/model-call.ts';
import { checkResultColumns } from '../../src/steps/plan/result-columns-of-run.ts';
import {
  CONVERSE,
  converseFrame,
  createDirectory,
  prepareAll,
  promptOf,
  query,
  readRecords,
  writeParquet,
  writeSource,
} from '../support/rows.ts';

type Row = Record<string, string>;
const parquet = (rows: Row[]) =>
  new Uint8Array(
    parquetWriteBuffer({
      columnData: Object.keys(rows[0] ?? {}).map((name) => ({ name, data: rows.map((row) => row[name]) })),
    }),
  );
const csv = (rows: Row[]) =>
  `${Object.keys(rows[0] ?? {}).join(',')}\n${rows.map((row) => `${Object.values(row).join(',')}\n`).join('')}`;
const jsonl = (rows: Row[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

const WRITERS = { 'x.csv': csv, 'x.jsonl': jsonl, 'x.parquet': parquet };

/** What prompts of these files have, and the rows beside them, by the places of their columns. */
async function preparedOf(
  contents: (string | Uint8Array)[],
  { name, template, ...options }: { name: string; template: string } & DescribeOptions,
) {
  const files = await Promise.all(contents.map((content, index) => writeSource(`${index}/${name}`, content)));
  const dataset = await describeDataset(files, options);
  const [prepared] = await prepareAll(files, template, { dataset });
  if (prepared === undefined) throw new Error('There is no part.');
  const places = dataset.columns.map((_, index) => `c${index}`);
  const rows = await query(
    `SELECT ${places.join(', ')} FROM '${prepared.rowsPath}' AS read(${places.join(', ')})`,
  );
  return {
    files,
    dataset,
    prompts: (await readRecords(prepared.recordsPath)).map(promptOf),
    rows: rows.map((row) => Object.values(row)),
  };
}

test.each(Object.entries(WRITERS))(
  '%s: each placeholder means its own, in whatever order files have columns',
  async (name, write) => {
    const contents = [
      [
        { a: '1', A: '2', a_1: '3' },
        { a: '4', A: '5', a_1: '6' },
      ],
      [{ A: '8', a_1: '9', a: '7' }],
    ];
    const { files, dataset, prompts, rows } = await preparedOf(
      contents.map((of) => write(of)),
      {
        name,
        template: '{A} {a} {a_1}',
      },
    );
    expect(prompts).toEqual(['2 1 3', '5 4 6', '8 7 9']);
    expect(rows).toEqual([
      ['1', '2', '3'],
      ['4', '5', '6'],
      ['7', '8', '9'],
    ]);
    expect(await samplePromptBytes(files, dataset, converseFrame('{a}{a}'))).toEqual({
      meanBytes: 2,
      maxBytes: 2,
      sampledRows: 3,
    });
    await checkRecordIds(files, dataset, { column: 'A', isNamed: true });
    await expect(checkRecordIds(files, dataset, { column: 'b', isNamed: true })).rejects.toThrow(
      'but the dataset has the columns a, A, a_1.',
    );
    await using index = await openRequestIndex({
      files,
      dataset,
      frame: converseFrame('{A}'),
      asked: { answerer: 'x', modelId: 'm', invocationType: 'Converse' },
      recordIdColumn: 'a',
      rows: 3,
      scratchDirectory: await createDirectory(),
    });
    expect(index.unsent).toBe(0);
  },
);

test.each(Object.entries(WRITERS))(
  '%s: with union_by_name, a file that lacks one of them has nulls there',
  async (name, write) => {
    const contents = [[{ a: '1', b: '2' }], [{ A: '3', b: '4' }]].map((of) => write(of as Row[]));
    const { dataset, rows } = await preparedOf(contents, { name, template: '{b}', unionByName: true });
    expect(rows).toEqual([
      ['1', '2', null],
      [null, '4', '3'],
    ]);
    if (name === 'x.jsonl') return;
    expect(dataset.notes).toEqual([
      's3://data/0/x: A is not there, and is filled with nulls'.replace('x:', `${name}:`),
      's3://data/1/x: a is not there, and is filled with nulls'.replace('x:', `${name}:`),
    ]);
    await expect(preparedOf(contents, { name, template: '{b}' })).rejects.toThrow('different columns: a (');
  },
);

test.each(Object.entries(WRITERS))(
  '%s: a plan looks at rows, and says what one asks, by the names of the files',
  async (name, write) => {
    const files = [
      await writeSource(
        name,
        write([
          { A: '1', a: 'x' },
          { A: '2', a: 'y' },
        ] as Row[]),
      ),
    ];
    const dataset = await describeDataset(files);
    const asked = { frame: converseFrame('{A} {a}'), recordIdColumn: 'a', rows: 2 };
    const seen = await lookAtRows(files, dataset, { ...asked, first: 2, sample: 2, isWhole: true });
    expect(seen.first.map(({ record_id, strings }) => [record_id, ...strings])).toEqual([
      ['x', '1 x'],
      ['y', '2 y'],
    ]);
    const scratchDirectory = await createDirectory();
    await using db = await openDuckDb({ memoryMb: 128, threads: 1, scratchDirectory });
    const request = await readRowRequest(db, {
      ...asked,
      files,
      dataset,
      asked: { answerer: 'x', modelId: 'm', invocationType: 'Converse' },
      recordId: 'y',
      scratchDirectory,
    });
    expect(Object.fromEntries(request?.values ?? [])).toEqual({ A: '2', a: 'y' });
  },
);

test('what is not sent is told by the names of the files', async () => {
  const file = await writeSource('x.jsonl', `${jsonl([{ A: '1', a: 'x' }])}{"A":null,"a":"y"}\n`);
  const dataset = await describeDataset([file]);
  const asked = { frame: converseFrame('{A} {a}'), recordIdColumn: undefined, rows: 2 };
  const seen = await lookAtRows([file], dataset, { ...asked, first: 2, sample: 2, isWhole: true });
  expect(seen.unsent).toEqual([{ columns: ['A'], rows: 1, first_rows: [1] }]);
});

test('DuckDB calls columns as it is said to, whatever they are called', async () => {
  for (const names of [
    ['a', 'A', 'a_1'],
    ['a_1', 'a', 'A', 'A_1'],
    ['A', 'a', 'a_2', 'A_2', 'a_1_1', 'A_1'],
    ['x', 'X_1', 'X', 'x_1', 'x_1_1', 'É', 'é'],
  ]) {
    const file = await writeSource(
      'x.parquet',
      parquet([Object.fromEntries(names.map((name) => [name, 'v']))]),
    );
    const described = await query(`DESCRIBE SELECT * FROM '${file.path}'`);
    expect(described.map(({ column_name }) => column_name)).toEqual(namesAsRead(names));
  }
});

test('a file’s columns get any names, and every value stays', async () => {
  const { path } = await writeParquet(
    'x.parquet',
    `SELECT i AS a, {'x': i, 'y': [i, i + 1]} AS b, MAP {'k': i} AS c, 'v' || i AS d FROM range(5000) r(i)`,
    ', ROW_GROUP_SIZE 2048',
  );
  const names = ['ä', 'Ä', 'x'.repeat(300), 'X'.repeat(300)];
  await renameColumns(path, names);
  const rows = await parquetReadObjects({ file: await asyncBufferFromFile(path) });
  expect(rows).toHaveLength(5000);
  expect(rows[4999]).toEqual({
    ä: 4999n,
    Ä: { x: 4999n, y: [4999n, 5000n] },
    [names[2] ?? '']: { k: 4999n },
    [names[3] ?? '']: 'v4999',
  });
  expect((await readParquetFooter(path)).columns.map(({ name }) => name)).toEqual(names);
  await renameColumns(path, ['a', 'b', 'c', 'd']);
  expect(
    await query(`SELECT count(*) AS n, sum(a) AS a, sum(b.x) AS b, sum(c['k']) AS c FROM '${path}'`),
  ).toEqual([{ n: '5000', a: '12497500', b: '12497500', c: '12497500' }]);
});

test('results have the names of the dataset in every form', async () => {
  const { path } = await writeParquet(
    'x.parquet',
    `SELECT * FROM (VALUES (1, 'x', NULL, 'r1', 'answer', NULL), (2, 'y"', 0.5::FLOAT, 'r2', NULL, '424'))
      AS t("__quarry_0_a", "__quarry_1_A", "__quarry_2_A_1", record_id, response, error_code)`,
  );
  const written = ['__quarry_0_a', '__quarry_1_A', '__quarry_2_A_1', 'record_id', 'response', 'error_code'];
  await giveNamesBack(path, written);
  const texts = [
    '{"a":1,"A":"x","A_1":null,"record_id":"r1","response":"answer","error_code":null}',
    '{"a":2,"A":"y\\"","A_1":0.5,"record_id":"r2","response":null,"error_code":"424"}',
  ];
  expect(await Array.fromAsync(readResultTexts([path], {}))).toEqual(texts);
  const copy = join(await createDirectory(), 'all.parquet');
  expect(await copyResults([path, path], copy, {})).toBe(4);
  expect(await Array.fromAsync(readResultTexts([copy], {}))).toEqual([...texts, ...texts]);
  const batches = await Array.fromAsync(readArrowBatches([copy]));
  const names = tableFromIPC(batches[0] ?? []).schema.fields.map(({ name }) => name);
  expect(names).toEqual(['a', 'A', 'A_1', 'record_id', 'response', 'error_code']);
  const shown = await readPlaces([path], {
    places: [{ file: 0, row: 0 }],
    pieces: [
      { kind: 'column', column: 'A' },
      { kind: 'column', column: 'a' },
    ],
    outputColumn: 'response',
    maxCharacters: 10,
    maxBytes: 1e6,
  });
  expect(shown).toMatchObject([{ prompt: { text: 'x1' } }]);
  const plain = join(await createDirectory(), 'plain.parquet');
  await copyFile(path, plain);
  await giveNamesBack(plain, ['a', 'b']);
  expect(await query(`SELECT count(*) AS n FROM '${plain}'`)).toEqual([{ n: '2' }]);
});

test('a name of our own that DuckDB would take for one of the dataset’s is refused', async () => {
  const added = (outputColumn: string) =>
    resultColumnsOf({ shape: CONVERSE, outputColumn, recordIdColumn: undefined });
  expect(() => checkResultColumns(added('a_2'), ['a', 'A'])).toThrow(
    'A column of answers cannot be named "a_2", as the dataset has columns whose names differ from its beginning, and from each other, by capitals alone. Choose another name.',
  );
  checkResultColumns(added('a_2'), ['a', 'b']);
  const columns = ['x', 'record_id', 'Record_ID'].map((name) => ({ name, type: 'VARCHAR' }));
  const input = parseRunInput({
    s3_uri: 's3://d/x.csv',
    model_id: 'us.amazon.nova-lite-v1:0',
    prompt_template: '{x}',
  });
  const call = modelCallOf(input);
  await expect(checkColumns(input, call, { format: 'csv', files: [], rows: 1, columns })).rejects.toThrow(
    'The dataset has columns "record_id", "Record_ID", and Quarry finds rows again by record_id, in capitals or not. Rename all but one.',
  );
});
