import { gzipSync, zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { CsvOptions } from '../../../src/rows/csv/csv-structure.ts';
import { datasetNotes } from '../../../src/rows/sources/dataset-notes.ts';
import { describeDataset } from '../../../src/rows/sources/describe-dataset.ts';
import { prepareAll, query, writeSource } from '../../support/rows.ts';

/** What Plan notes of CSV files, their columns, and their rows as Prepare stages them in parts of two. */
async function readCsv(
  contents: string | Uint8Array | readonly (string | Uint8Array)[],
  csv: CsvOptions,
  ending = 'csv',
) {
  const all = typeof contents === 'string' || contents instanceof Uint8Array ? [contents] : contents;
  const files = await Promise.all(all.map((content, index) => writeSource(`${index}.${ending}`, content)));
  const dataset = await describeDataset(files, { csv });
  const parts = await prepareAll(files, 'x', { dataset, rowsPerPart: 2 });
  const rows: unknown[][] = [];
  for (const { rowsPath } of parts) {
    const staged = await query(
      `SELECT CAST(to_json(r) AS VARCHAR) AS json FROM (SELECT * EXCLUDE (__quarry_record_id, __quarry_error_code) FROM '${rowsPath}') AS r`,
    );
    rows.push(...staged.map(({ json }) => Object.values(JSON.parse(String(json)))));
  }
  return {
    notes: datasetNotes(dataset).map((note) => note.replaceAll('s3://data/', '')),
    columns: dataset.columns.map(({ name }) => name),
    rows,
  };
}

const ESCAPED = [
  ['say "hi"', 'C:\\dir'],
  ['two\nlines', 'a,b'],
  ['"', ''],
];

test.each([
  ['in quotes', '"say \\"hi\\"","C:\\\\dir"\n"two\nlines","a,b"\n"\\"",""\n'],
  ['outside quotes', 'say \\"hi\\",C:\\\\dir\ntwo\\\nlines,a\\,b\n\\",\n'],
  ['of delimiters and newlines in quotes', '"say \\"hi\\"",C:\\\\dir\n"two\\\nlines","a\\,b"\n\\",""\n'],
  ['beside doubled quotes', '"say ""hi\\"","C:\\\\dir"\n"two\nlines",a\\,b\n"""",""\n'],
])('csv_escape: what stands behind a backslash is meant, %s', async (_name, rows) => {
  expect(await readCsv(`a,b\n${rows}`, { escape: '\\' })).toEqual({
    notes: ['0.csv: \\ before a character says that it is meant'],
    columns: ['a', 'b'],
    rows: ESCAPED,
  });
});

test('csv_escape holds in the header, with single quotes, without any, and across all else that a file may be', async () => {
  const content = `\ufeff"a\\"",b\r\n${'"x\\\\\r\n\\"y","1,\\"2"\r\n'.repeat(3)}`;
  const expected = { columns: ['a"', 'b'], rows: Array(3).fill(['x\\\r\n"y', '1,"2']) };
  expect(await readCsv(content, { escape: '\\' })).toMatchObject(expected);
  expect(await readCsv(gzipSync(content), { escape: '\\' }, 'csv.gz')).toMatchObject(expected);
  expect(await readCsv(zstdCompressSync(content), { escape: '\\' }, 'csv.zst')).toMatchObject(expected);
  expect(await readCsv(Buffer.from(content, 'utf16le'), { escape: '\\' })).toMatchObject(expected);
  const single = { escape: '^', quote: `'` };
  expect((await readCsv(`a,b\n'it^'s',"^^"\n`, single)).rows).toEqual([[`it's`, '"^"']]);
  expect((await readCsv('a\tb\n1\\\t"2\t3\\\n\n', { escape: '\\', quote: '' })).rows).toEqual([
    ['1\t"2', '3\n'],
  ]);
});

test('csv_escape leaves \\N, which is null to MySQL and Hive, as it is where it is a whole field', async () => {
  expect((await readCsv('a,b\n\\N,1\n2,\\N', { escape: '\\' })).rows).toEqual([
    ['\\N', '1'],
    ['2', '\\N'],
  ]);
});

test.each([
  ['before a letter', 'a,b\n1,2\n"x\\ny",2\n'],
  ['before a letter outside quotes', 'a,b\n1,2\nx\\ty,2\n'],
  ['as a null within text', 'a,b\n1,2\n\\N2,2\n'],
  ['as a null in quotes', 'a,b\n1,2\n"\\N",2\n'],
  ['before a carriage return outside quotes', 'a,b\r\n1,2\r\n1\\\r\n2,2\r\n'],
  ['at the end', 'a,b\n1,2\n1,2\\'],
])('csv_escape %s is refused: readers take it for different things', async (_name, content) => {
  const file = await writeSource('x.csv', content);
  await expect(describeDataset([file], { csv: { escape: '\\' } })).rejects.toThrow(
    'Line 3 of s3://data/x.csv has \\ before a character that is neither a quote, the delimiter, a newline nor another \\',
  );
});

test('a quote that is never closed, as the last one is escaped, is told of', async () => {
  const file = await writeSource('x.csv', 'a,b\n1,"2\\"\n');
  await expect(describeDataset([file], { csv: { escape: '\\' } })).rejects.toThrow(
    'Line 2 of s3://data/x.csv begins a record with a quote that is never closed',
  );
  const open = await writeSource('x.csv', 'a,b\n1,"2\\');
  await expect(describeDataset([open], { csv: { escape: '\\' } })).rejects.toThrow('never closed');
});

test('text behind a closing quote says what to do where a backslash stands before it', async () => {
  const file = await writeSource('x.csv', 'a,b\n"say \\"hi\\"",2\n');
  await expect(describeDataset([file])).rejects.toThrow(
    "Where a backslash stands before it, give csv_escape (--csv-escape '\\').",
  );
});

test('csv_comment: lines that begin with it are passed over, counted and noted', async () => {
  const content = '# made "today\na,b\n#1,2\n1,#2\n"#3",x#y\n "#4\n#\n"5\n#6",7\n#end'.replace(
    ' "#4',
    ' #4,',
  );
  expect(await readCsv(content, { comment: '#' })).toEqual({
    notes: ['0.csv: lines that begin with # and are passed over: 4'],
    columns: ['a', 'b'],
    rows: [
      ['1', '#2'],
      ['#3', 'x#y'],
      [' #4', ''],
      ['5\n#6', '7'],
    ],
  });
});

test('csv_comment is no delimiter that is looked for, and asks for no note where there is none', async () => {
  expect(await readCsv('; a comment; with; many\na|b\n1|2;3\n', { comment: ';' })).toMatchObject({
    columns: ['a', 'b'],
    rows: [['1', '2;3']],
  });
  expect(await readCsv('a,b\n1,2\n', { comment: '#' })).toMatchObject({ notes: [], rows: [['1', '2']] });
});

test('csv_skip: lines at the beginning are passed over, whatever is in them', async () => {
  const content = 'Report "of\r\n\r\nsep=;\r\na,b\r\n"1\r\n1",2\r\n3,4\r\n5,6';
  const expected = {
    columns: ['a', 'b'],
    rows: [
      ['1\r\n1', '2'],
      ['3', '4'],
      ['5', '6'],
    ],
  };
  for (const [bytes, ending] of [
    [`\ufeff${content}`, 'csv'],
    [Buffer.from(`\ufeff${content}`, 'utf16le'), 'csv'],
    [gzipSync(content), 'csv.gz'],
  ] as const) {
    const read = await readCsv(bytes, { skip: 3 }, ending);
    expect(read).toMatchObject(expected);
    expect(read.notes).toContain(`0.${ending}: lines at its beginning that are passed over: 3`);
  }
});

test('csv_header false: the first record is a row, and columns are called by their place', async () => {
  expect(await readCsv('a,b\r\n"1\n1",2\r\n3,4\r\n', { hasHeader: false })).toEqual({
    notes: ['0.csv: no header: its columns are called column0, column1, … by their place'],
    columns: ['column0', 'column1'],
    rows: [
      ['a', 'b'],
      ['1\n1', '2'],
      ['3', '4'],
    ],
  });
  expect((await readCsv('1', { hasHeader: false })).rows).toEqual([['1']]);
  expect((await readCsv('1\n\n2\n', { hasHeader: false })).rows).toEqual([['1'], [''], ['2']]);
});

test('csv_header false of records of other lengths goes by the first', async () => {
  const content = 'a,b\n1\n1,2,3\n4,5\n';
  const file = await writeSource('x.csv', content);
  await expect(describeDataset([file], { csv: { hasHeader: false } })).rejects.toThrow(
    'Line 2 of s3://data/x.csv has 1 field, but the first record has 2',
  );
  expect(await readCsv(content, { hasHeader: false, ragged: 'pad' })).toMatchObject({
    columns: ['column0', 'column1', 'column2'],
    rows: [
      ['a', 'b', ''],
      ['1', '', ''],
      ['1', '2', '3'],
      ['4', '5', ''],
    ],
  });
  expect((await readCsv(content, { hasHeader: false, ragged: 'skip' })).rows).toEqual([
    ['a', 'b'],
    ['4', '5'],
  ]);
});

test('csv_header false of one column is refused where blank lines come first, and csv_skip settles it', async () => {
  const file = await writeSource('x.csv', '\n\n1\n');
  await expect(describeDataset([file], { csv: { hasHeader: false } })).rejects.toThrow(
    'Line 3 of s3://data/x.csv is the first record of one column without a header, with blank lines before it, which may be empty values or nothing. Remove them, or pass over them with csv_skip (--csv-skip).',
  );
  expect((await readCsv('\n\n1\n', { hasHeader: false, skip: 2 })).rows).toEqual([['1']]);
});

test('all of them hold for each of several files, and together', async () => {
  const csv = { comment: '#', escape: '\\', skip: 1, hasHeader: false, delimiter: ';' };
  expect(await readCsv(['first\n#x\n1;"\\""\n2;\\;\n', 'second\n3;3\n#\n#y', 'third', ''], csv)).toEqual({
    notes: [
      '0.csv, 1.csv: fields are separated by ";"',
      '0.csv, 1.csv: \\ before a character says that it is meant',
      '0.csv, 1.csv: lines at its beginning that are passed over: 1',
      '0.csv: lines that begin with # and are passed over: 1',
      '0.csv, 1.csv: no header: its columns are called column0, column1, … by their place',
      '1.csv: lines that begin with # and are passed over: 2',
      '2.csv, 3.csv: no rows',
    ],
    columns: ['column0', 'column1'],
    rows: [
      ['1', '"'],
      ['2', ';'],
      ['3', '3'],
    ],
  });
});

test.each([
  ['nothing but lines that are passed over', '1\n2\n3\n', { skip: 3 }],
  ['fewer lines than are passed over', '1\n2', { skip: 30 }],
  ['nothing but comments', '#a,b\n#1,2\n#', { comment: '#' }],
])('a dataset of %s is refused', async (_name, content, csv) => {
  await expect(describeDataset([await writeSource('x.csv', content)], { csv })).rejects.toThrow(
    's3://data/x.csv is empty but for what is passed over. A CSV file has a header and rows.',
  );
});

test('a file that is large, and begins with much that is passed over, is read to its end', async () => {
  const comments = `# ${'x'.repeat(1000)}\n`.repeat(600);
  const rows = Array.from({ length: 50_000 }, (_, row) => `${row},"\\"${'y'.repeat(row % 90)}"\n`);
  const content = `skipped\n${comments}a,b\n${rows.slice(0, 25_000).join('')}${comments}${rows.slice(25_000).join('')}`;
  const file = await writeSource('x.csv', content);
  const dataset = await describeDataset([file], { csv: { comment: '#', skip: 1, escape: '\\' } });
  expect(dataset).toMatchObject({ rows: 50_000, files: [{ layout: { csv: { comment_lines: 1200 } } }] });
  const [prepared] = await prepareAll([file], 'x', { dataset });
  const [found] = await query(
    `SELECT count(*)::INTEGER AS n, bool_and(b = '"' || repeat('y', a::INTEGER % 90)) AS same, count(DISTINCT a)::INTEGER AS ids FROM '${prepared?.rowsPath}'`,
  );
  expect(found).toEqual({ n: 50_000, same: true, ids: 50_000 });
});

test('names that nobody can tell apart are refused with what to do, and the file is read without them', async () => {
  const content = 'a,a\n1,2\n';
  await expect(describeDataset([await writeSource('x.csv', content)])).rejects.toThrow(
    's3://data/x.csv has two columns named "a". Rename one. Or read the file without names: csv_header false (--csv-header false), with csv_skip 1 (--csv-skip 1) where its first line has names.',
  );
  expect(await readCsv(content, { hasHeader: false, skip: 1 })).toMatchObject({
    columns: ['column0', 'column1'],
    rows: [['1', '2']],
  });
});
