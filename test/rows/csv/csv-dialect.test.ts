import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CsvOptions } from '../../../src/rows/csv/csv-structure.ts';
import { datasetNotes } from '../../../src/rows/sources/dataset-notes.ts';
import { type DescribeOptions, describeDataset } from '../../../src/rows/sources/describe-dataset.ts';
import { prepareAll, query, writeSource } from '../../support/rows.ts';

/** What Plan notes of a CSV, its columns, and its rows as Prepare stages them. */
async function readCsv(content: string | Uint8Array, csv: CsvOptions = {}, name = 'x.csv') {
  return readDataset(name, content, { csv });
}

async function readDataset(name: string, content: string | Uint8Array, options: DescribeOptions) {
  const file = await writeSource(name, content);
  const dataset = await describeDataset([file], options);
  const [prepared] = await prepareAll([file], 'x', { dataset });
  const rows = await query(
    `SELECT CAST(to_json(r) AS VARCHAR) AS json FROM (SELECT * EXCLUDE (__quarry_record_id, __quarry_error_code) FROM '${prepared?.rowsPath}') AS r`,
  );
  return {
    notes: datasetNotes(dataset).map((note) => note.replace('s3://data/', '')),
    columns: dataset.columns.map(({ name: column }) => column),
    rows: rows.map(({ json }) => Object.values(JSON.parse(String(json)))),
  };
}

test.each([
  [
    ';',
    'name;price\nÄpfel;1,50\nBirnen;2,00\n',
    [
      ['Äpfel', '1,50'],
      ['Birnen', '2,00'],
    ],
  ],
  [';', 'a;b\r\n"x;y";"say ""hi"""\r\n', [['x;y', 'say "hi"']]],
  ['|', 'a|b\n1|2, 3\n', [['1', '2, 3']]],
  ['a tab', 'a\tb\n1\t2;3\n', [['1', '2;3']]],
])('fields between %s are found, and noted', async (name, content, expected) => {
  const { notes, rows } = await readCsv(content);
  expect(rows).toEqual(expected);
  expect(notes).toEqual([`x.csv: fields are separated by ${name === 'a tab' ? name : `"${name}"`}`]);
});

test('commas need no note, whatever else the texts have', async () => {
  expect(await readCsv('a,b\n1;2;3,x|y\n"4\t5",z\n')).toEqual({
    notes: [],
    columns: ['a', 'b'],
    rows: [
      ['1;2;3', 'x|y'],
      ['4\t5', 'z'],
    ],
  });
});

test('one column is one column', async () => {
  expect((await readCsv('text\none; two\nthree\n')).rows).toEqual([['one; two'], ['three']]);
});

test('single quotes are taken for quotes where only that makes a table of it, and noted', async () => {
  expect(await readCsv("a,b\n1,'x,y'\n2,'it''s'\n")).toEqual({
    notes: ["x.csv: fields are quoted with '"],
    columns: ['a', 'b'],
    rows: [
      ['1', 'x,y'],
      ['2', "it's"],
    ],
  });
  expect(await readCsv("a,b\n1,'xy'\n")).toEqual({ notes: [], columns: ['a', 'b'], rows: [['1', "'xy'"]] });
});

test.each([
  [
    'two delimiters that both make a table',
    'a,b;c\n1,2;3\n',
    's3://data/x.csv can be read in 2 ways: "," gives 2 columns, ";" gives 2 columns. Say which is meant with csv_delimiter (--csv-delimiter).',
  ],
  [
    'a column of texts, or rows of other lengths',
    'a;b\n1;2\n3;4;5\n',
    '"," gives 1 column, ";" gives 2 columns',
  ],
  [
    'single quotes, and later double ones',
    `a,b\n${"1,'x,y'\n".repeat(200_000)}2,"z"\n`,
    'Line 200002 of s3://data/x.csv has a field that begins with a double quote, though fields before it are quoted with single ones',
  ],
  [
    'rows of other lengths',
    'a;b\n1;2,5\n3;4;5\n',
    'Line 3 of s3://data/x.csv has 3 fields, but the header has 2',
  ],
])('%s: refused, as a guess could change values', async (_name, content, message) => {
  await expect(describeDataset([await writeSource('x.csv', content)])).rejects.toMatchObject({
    name: 'InvalidDatasetError',
    message: expect.stringContaining(message),
  });
});

test('what the user says wins', async () => {
  expect((await readCsv('a,b;c\n1,2;3\n', { delimiter: ';' })).rows).toEqual([['1,2', '3']]);
  expect((await readCsv('a,b;c\n1,2;3\n', { delimiter: ',' })).rows).toEqual([['1', '2;3']]);
  expect((await readCsv('a;b\n1;2\n3;4;5\n', { delimiter: '\u0001' })).rows).toEqual([['1;2'], ['3;4;5']]);
  expect((await readCsv('a,b\n"1,2"\n', { quote: '' })).rows).toEqual([['"1', '2"']]);
  expect((await readCsv("a,b\n'1',2\n", { quote: "'" })).rows).toEqual([['1', '2']]);
  expect((await readCsv('a,b\n1,2\n', { delimiter: ',' }, 'x.tsv')).rows).toEqual([['1', '2']]);
  expect((await readCsv('a;b\n1;2\n', {}, 'x.tsv')).columns).toEqual(['a;b']);
});

test.each(['sep=;\n', 'sep=;\r\n', '\ufeffSEP=;\n'])(
  'Excel’s first line %j is taken at its word, and is no record',
  async (line) => {
    expect(await readCsv(`${line}a;b,c\n1;2\n`)).toEqual({
      notes: [
        'x.csv: fields are separated by ";"',
        'x.csv: its first line, which names the separator, is no record',
      ],
      columns: ['a', 'b,c'],
      rows: [['1', '2']],
    });
  },
);

test('UTF-16 with a byte order mark is converted, and noted', async () => {
  const content = 'a,b\né😀,\u2028\n"x\n",\ufeff\n';
  const little = Buffer.from(`\ufeff${content}`, 'utf16le');
  const big = Buffer.from(little).swap16();
  const rows = [
    ['é😀', '\u2028'],
    ['x\n', '\ufeff'],
  ];
  expect(await readCsv(little)).toEqual({
    notes: ['x.csv: converted from utf-16le'],
    columns: ['a', 'b'],
    rows,
  });
  expect(await readCsv(big)).toEqual({
    notes: ['x.csv: converted from utf-16be'],
    columns: ['a', 'b'],
    rows,
  });
  expect((await readCsv(gzipSync(big), {}, 'x.csv.gz')).rows).toEqual(rows);
  expect((await readCsv(little.subarray(2), { encoding: 'utf-16le' })).rows).toEqual(rows);
});

test('JSON in UTF-16 with a byte order mark is converted', async () => {
  const file = await writeSource('x.jsonl', Buffer.from('\ufeff{"a":"é"}\n', 'utf16le'));
  const dataset = await describeDataset([file]);
  const [prepared] = await prepareAll([file], 'x', { dataset });
  expect(await query(`SELECT a FROM '${prepared?.rowsPath}'`)).toEqual([{ a: 'é' }]);
});

test('an encoding that is named is converted: windows-1252 and Latin-1 differ in what they differ in', async () => {
  const bytes = Buffer.from('a,b\ncaf\xe9,\x93x\x94\n', 'latin1');
  expect((await readCsv(bytes, { encoding: 'windows-1252' })).rows).toEqual([['café', '“x”']]);
  expect((await readCsv(bytes, { encoding: 'iso-8859-1' })).rows).toEqual([['café', '\x93x\x94']]);
  expect((await readCsv(Buffer.from('a,b\n\x83\x65,2\n', 'latin1'), { encoding: 'shift_jis' })).rows).toEqual(
    [['テ', '2']],
  );
});

test.each([
  [
    'windows-1252 that nobody named',
    Buffer.from('a,b\ncaf\xe9,2\n', 'latin1'),
    {},
    'Line 2 of s3://data/x.csv is not UTF-8 (perhaps Windows-1252 or Latin-1). For CSV, name its encoding with csv_encoding',
  ],
  [
    'another encoding than was named',
    Buffer.from('a,b\n1,2\n\x83,2\n', 'latin1'),
    { encoding: 'shift_jis' },
    's3://data/x.csv is not shift_jis: at line',
  ],
  [
    'half a character of UTF-16',
    Buffer.from('\ufeffa,b\n1,2\n', 'utf16le').subarray(0, -1),
    {},
    's3://data/x.csv is not utf-16le: at line',
  ],
])('%s is refused', async (_name, bytes, csv, message) => {
  await expect(describeDataset([await writeSource('x.csv', bytes)], { csv })).rejects.toThrow(message);
});

const RAGGED = 'a,b\n1,2\n3\n4,5,6\n\n"7\n7",8\n';

test('csv_ragged pad fills up what is short: rows, and the header where rows are longer', async () => {
  expect(await readCsv(RAGGED, { ragged: 'pad' })).toEqual({
    notes: [
      'x.csv: the column without a name is called column2',
      'x.csv: 2 rows do not have as many fields as the header; missing fields are filled with empty texts',
    ],
    columns: ['a', 'b', 'column2'],
    rows: [
      ['1', '2', ''],
      ['3', '', ''],
      ['4', '5', '6'],
      ['7\n7', '8', ''],
    ],
  });
});

test('csv_ragged skip leaves such records out, and hands them over with their lines', async () => {
  const skipped: unknown[] = [];
  const content = `${RAGGED}é\n`;
  const file = await writeSource('x.csv', content);
  const dataset = await describeDataset([file], {
    csv: { ragged: 'skip' },
    onSkipped: async (uri, record) => {
      skipped.push({ uri, ...record });
    },
  });
  expect(skipped).toEqual([
    { uri: file.uri, line: 3, fields: 1, text: '3' },
    { uri: file.uri, line: 4, fields: 3, text: '4,5,6' },
    { uri: file.uri, line: 8, fields: 1, text: 'é' },
  ]);
  expect(dataset).toMatchObject({
    rows: 2,
    files: [{ layout: { csv: { ragged: 'skip', skipped_records: 3 } } }],
  });
  const [prepared] = await prepareAll([file], '{a}', { dataset });
  expect(await query(`SELECT a, b FROM '${prepared?.rowsPath}'`)).toEqual([
    { a: '1', b: '2' },
    { a: '7\n7', b: '8' },
  ]);
});

test.each([
  ['one delimiter or one column', 'a;b\n1;2\n3\n', '"," gives 1 column, ";" gives 2 columns'],
  ['several delimiters in the header', 'a,b;c\n1,2,3;4\n5\n', '"," gives 2 columns, ";" gives 2 columns'],
])('with csv_ragged, %s is refused rather than guessed', async (_name, content, message) => {
  const file = await writeSource('x.csv', content);
  await expect(describeDataset([file], { csv: { ragged: 'pad' } })).rejects.toThrow(message);
});

test('columns without a name are called by their place, and noted', async () => {
  expect(await readCsv(',a,,""\n0,1,2,3\n')).toEqual({
    notes: ['x.csv: the columns without a name are called column0, column2, column3'],
    columns: ['column0', 'a', 'column2', 'column3'],
    rows: [['0', '1', '2', '3']],
  });
});

test('blank lines before the header are passed over', async () => {
  expect((await readCsv('\n\r\n\na,b\n1,2\n')).rows).toEqual([['1', '2']]);
  expect((await readCsv('\n\na\n1\n\n2\n')).rows).toEqual([['1'], [''], ['2']]);
});

test('parts without a byte, or with a header only, have no rows, and that is noted', async () => {
  const files = [
    await writeSource('0.csv', ''),
    await writeSource('1.csv', 'b,a\n2,1\n'),
    await writeSource('2.csv.gz', ''),
    await writeSource('3.csv', 'a,b\n'),
    await writeSource('4.csv', '\n\r\n'),
    await writeSource('5.csv', 'a,b\n3,4'),
  ];
  const dataset = await describeDataset(files);
  expect(dataset).toMatchObject({ rows: 2, files: [0, 1, 0, 0, 0, 1].map((rows) => ({ rows })) });
  expect(datasetNotes(dataset)).toEqual([
    's3://data/0.csv, s3://data/2.csv.gz, s3://data/3.csv and 1 more: no rows',
  ]);
  const [prepared] = await prepareAll(files, '{a}', { dataset });
  expect(await query(`SELECT a, b FROM '${prepared?.rowsPath}'`)).toEqual([
    { a: '1', b: '2' },
    { a: '3', b: '4' },
  ]);
});

test.each([
  ['data', 'csv', 'a;b\n1;2\n', [['1', '2']]],
  ['data.txt', 'tsv', 'a\tb\n1\t2,\n', [['1', '2,']]],
  ['data.txt.gz', 'csv', gzipSync('a,b\n1,2\n'), [['1', '2']]],
  ['data', 'jsonl', '{"a":"1","b":"2"}\n', [['1', '2']]],
  ['part-0', 'json', '[{"a":"1","b":"2"}]', [['1', '2']]],
  ['misnamed.csv', 'jsonl', '{"a":"1","b":"2"}\n', [['1', '2']]],
] as const)('a file named %s is read as %s where that is said', async (name, format, content, expected) => {
  expect((await readDataset(name, content, { format })).rows).toEqual(expected);
});

test('one reading of what readers read in two ways', async () => {
  expect((await readCsv('x,y\n1, "a" b\n2,c\n')).rows).toEqual([
    ['1', ' "a" b'],
    ['2', 'c'],
  ]);
  expect((await readCsv('x,y\n1, "a""b"\n2,c\n')).rows).toEqual([
    ['1', ' "a""b"'],
    ['2', 'c'],
  ]);
  expect((await readCsv('x,y\n1, "abc\n2,def\n3,ghi\n')).rows).toEqual([
    ['1', ' "abc'],
    ['2', 'def'],
    ['3', 'ghi'],
  ]);
  expect((await readCsv('a,b\n"  ", " \n1,2\n')).rows).toEqual([
    ['  ', ' " '],
    ['1', '2'],
  ]);
  expect((await readCsv('h\na\n\r\nb\n')).rows).toEqual([['a'], [''], ['b']]);
  expect((await readCsv('a,b\n1,2\n\r\n3,4\n')).rows).toEqual([
    ['1', '2'],
    ['3', '4'],
  ]);
  expect((await readCsv('a,b\r\n1,2\r\n\n3,4\r\n')).rows).toEqual([
    ['1', '2'],
    ['3', '4'],
  ]);
  expect((await readCsv('a,b\r\n\n1,2\n3,4')).rows).toEqual([
    ['1', '2'],
    ['3', '4'],
  ]);
  await expect(readCsv('x,y,z\n1, "a,b"\n2, "c,d"\n')).resolves.toMatchObject({
    rows: [
      ['1', ' "a', 'b"'],
      ['2', ' "c', 'd"'],
    ],
  });
});

test('any table comes back from any dialect that is named, and from most that are not', async () => {
  const field = fc
    .array(
      fc.constantFrom('a', ' ', '"', "'", ',', ';', '|', '\t', '\n', '\r\n', '\r', 'é', '😀', '\ufeff', '\\'),
      { maxLength: 5 },
    )
    .map((all) => all.join(''));
  let found = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(',', ';', '\t', '|'),
      fc.constantFrom('"', "'"),
      fc.constantFrom('\n', '\r\n'),
      fc
        .integer({ min: 2, max: 4 })
        .chain((width) =>
          fc.array(fc.array(field, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 6 }),
        ),
      async (delimiter, quote, newline, rows) => {
        const header = (rows[0] ?? []).map((_, index) => `h${index}`);
        const quoted = (text: string) => `${quote}${text.replaceAll(quote, quote + quote)}${quote}`;
        const needsQuotes = (text: string) =>
          text === '' || /[\r\n"']/.test(text) || text.includes(delimiter);
        const content = [header, ...rows]
          .map(
            (row) => row.map((text) => (needsQuotes(text) ? quoted(text) : text)).join(delimiter) + newline,
          )
          .join('');
        expect((await readCsv(content, { delimiter, quote })).rows).toEqual(rows);
        const unnamed = await readCsv(content).catch((error: Error) => error.name);
        if (typeof unnamed === 'string') {
          expect(unnamed).toBe('InvalidDatasetError');
          return;
        }
        found += 1;
        if (quote === '"') expect(unnamed.rows).toEqual(rows);
      },
    ),
    { numRuns: 25, seed: 5 },
  );
  expect(found).toBeGreaterThan(12);
});
