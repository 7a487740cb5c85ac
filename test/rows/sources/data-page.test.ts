/** Holds docs/data.md against the code: each line of its tables about text files is tried here. */
import { readFile } from 'node:fs/promises';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { givenName } from '../../../src/core/plan/names-apart.ts';
import { type DescribeOptions, describeDataset } from '../../../src/rows/sources/describe-dataset.ts';
import { prepareAll, query, writeSource } from '../../support/rows.ts';

/** A file, what the user says of it, and the values of its rows by column; undefined where it is refused. */
interface Case {
  name: string;
  content: string | Uint8Array;
  options?: DescribeOptions;
  rows?: Record<string, string | null>[];
}

const csv = (
  content: string | Uint8Array,
  rows?: Case['rows'],
  options: DescribeOptions['csv'] = {},
): Case => ({
  name: 'x.csv',
  content,
  options: { csv: options },
  ...(rows === undefined ? {} : { rows }),
});
const jsonl = (content: string, rows?: Case['rows'], name = 'x.jsonl'): Case => ({
  name,
  content,
  ...(rows === undefined ? {} : { rows }),
});

const AB = [{ a: '1', b: '2' }];
const gzipped = (content: string | Uint8Array, rows?: Case['rows']): Case => ({
  ...csv(content, rows),
  name: 'x.csv.gz',
});
const zstd = (content: Uint8Array, rows?: Case['rows']): Case => ({
  ...csv(content, rows),
  name: 'x.csv.zst',
});
const SKIPPABLE = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 9]);

const CASES: Record<string, Case[]> = {
  'several gzip members, several or skippable zstd frames': [
    gzipped(Buffer.concat([gzipSync('a,b\n1,'), gzipSync('2\n')]), AB),
    zstd(Buffer.concat([SKIPPABLE, zstdCompressSync('a,b\n1,'), zstdCompressSync('2\n')]), AB),
  ],
  'other bytes after the last member or frame; one that breaks off': [
    gzipped(Buffer.concat([gzipSync('a,b\n1,2\n'), Buffer.from('\0x')])),
    zstd(Buffer.concat([zstdCompressSync('a,b\n1,2\n'), Buffer.from('x')])),
    gzipped(gzipSync('a,b\n1,2\n').subarray(0, -1)),
    zstd(zstdCompressSync('a,b\n1,2\n').subarray(0, -1)),
  ],
  'UTF-8, with or without a byte order mark': [
    csv('\ufeffa,b\n1,2\n', AB),
    csv('a,b\n\ufeffé,😀\n', [{ a: '\ufeffé', b: '😀' }]),
  ],
  'UTF-16 with a byte order mark': [csv(Buffer.from('\ufeffa,b\n1,2\n', 'utf16le'), AB)],
  'UTF-16 without one; bytes that are not UTF-8': [
    csv(Buffer.from('a,b\n1,2\n', 'utf16le')),
    csv(Buffer.from('a,b\n1,\xe9\n', 'latin1')),
    { ...csv(Buffer.from('{"a":"\xe9"}\n', 'latin1')), name: 'x.jsonl' },
  ],
  'column names of any characters': [
    csv('\ufeff\ufeffa,"b\n""1"""\n1,2\n', [{ '\ufeffa': '1', 'b\n"1"': '2' }]),
    jsonl('{"\\ufeffa":"1","😀":"2"}\n', [{ '\ufeffa': '1', '😀': '2' }]),
  ],
  'more than 5,000 columns': [
    csv(`${Array.from({ length: 5_001 }, (_, index) => `c${index}`).join(',')}\n${','.repeat(5_000)}\n`),
  ],
  'a name with a NUL or half a surrogate pair in it': [csv('a\0,b\n1,2\n'), jsonl('{"\\ud83d":1}\n')],
  'names that differ by capitals only': [
    csv('a,A\n1,2\n', [{ a: '1', A: '2' }]),
    jsonl('{"a":1}\n{"A":1}\n', [
      { a: '1', A: null },
      { a: null, A: '1' },
    ]),
  ],
  'a name that is there twice': [csv('a,a\n1,2\n')],
  'a name that begins with `__quarry_`, or is `file_row_number`': [
    csv('__QUARRY_x\n1\n'),
    jsonl('{"file_row_number":1}\n'),
  ],
  '`007`, `1e5`, `1.50`, `T`, `NULL`, `NA`, twenty digits': [
    csv('a,b\n007,1e5\n1.50,T\nNULL,NA\n12345678901234567890,nan\n', [
      { a: '007', b: '1e5' },
      { a: '1.50', b: 'T' },
      { a: 'NULL', b: 'NA' },
      { a: '12345678901234567890', b: 'nan' },
    ]),
  ],
  'decimal commas, thousands, dates and times in any order, a text for null': [
    csv('a;b\n1.234,50;31.12.2024\n\\N;12/31/24 1pm\n', [
      { a: '1.234,50', b: '31.12.2024' },
      { a: '\\N', b: '12/31/24 1pm' },
    ]),
  ],
  'an empty field, and `""`': [csv('a,b\n,""\n', [{ a: '', b: '' }])],
  'fields between `,` `;` tab or `|`': [
    csv('a,b\n1,2\n', AB),
    csv('a;b\n1;2\n', AB),
    csv('a\tb\n1\t2\n', AB),
    csv('a|b\n1|2\n', AB),
  ],
  'two of them that do; one column of texts, or records of other lengths': [
    csv('a,b;c\n1,2;3\n'),
    csv('a;b\n1;2\n3\n'),
  ],
  'quotes as in RFC 4180, doubled within quotes': [
    csv('a,b\n"1,\n""2""", "x" y\n', [{ a: '1,\n"2"', b: ' "x" y' }]),
  ],
  'single quotes': [
    csv("a,b\n'1,1',2\n", [{ a: '1,1', b: '2' }]),
    csv("a,b\n'1',2\n", [{ a: "'1'", b: '2' }]),
  ],
  'a quote that is never closed, text after a closing quote': [csv('a,b\n"1,2\n'), csv('a,b\n"1"x,2\n')],
  'with `csv_escape`: a quote, delimiter or newline behind a backslash, or two backslashes': [
    csv('a,b\n"\\"1\\"",\\\\2\\,\\\n\n', [{ a: '"1"', b: '\\2,\n' }], { escape: '\\' }),
    csv('a,b\n"^"1^^",2\n', [{ a: '"1^', b: '2' }], { escape: '^' }),
  ],
  "… `\\N` as a whole field without quotes, MySQL's null": [
    csv('a,b\n\\N,2\n', [{ a: '\\N', b: '2' }], { escape: '\\' }),
  ],
  '… another character behind one': [csv('a,b\n1\\n,2\n', undefined, { escape: '\\' })],
  'with `csv_comment`: lines that begin with its character': [
    csv(
      '#x\na,b\n#\n1#, #2\n"#3",4\n',
      [
        { a: '1#', b: ' #2' },
        { a: '#3', b: '4' },
      ],
      { comment: '#' },
    ),
  ],
  'with `csv_skip`: lines at the beginning': [csv('"x\n\na,b\n1,2\n', AB, { skip: 2 })],
  'with `csv_header false`: a file without a header': [
    csv('1,2\n', [{ column0: '1', column1: '2' }], { hasHeader: false }),
  ],
  '… of one column, that begins with blank lines': [csv('\n1\n', undefined, { hasHeader: false })],
  'lines that end in `\\n` or `\\r\\n`, also mixed': [csv('a,b\r\n1,2\n', AB)],
  'lines that end in `\\r` alone, as old Macs had it': [
    csv('a,b\r"1\n",2\r\r3,4', [
      { a: '1\n', b: '2' },
      { a: '3', b: '4' },
    ]),
    csv('a\r1\r\r', [{ a: '1' }, { a: '' }]),
  ],
  'a carriage return alone outside quotes, among lines that end otherwise': [
    csv('a,b\n1,2\r3,4\n'),
    csv('a,b\r1,2\n'),
    csv('a,b\r\n1,2\r'),
  ],
  'blank lines': [
    csv('\na,b\n\n1,2\n\n', AB),
    csv('a\n1\n\n', [{ a: '1' }, { a: '' }]),
    jsonl('\n{"a":"1"}\n\n', [{ a: '1' }]),
  ],
  'a first line `sep=;`': [csv('sep=;\na;b\n1;2\n', AB)],
  'a named encoding (`csv_encoding windows-1252`, `shift_jis`, …)': [
    csv(Buffer.from('a,b\n\x80,2\n', 'latin1'), [{ a: '€', b: '2' }], { encoding: 'windows-1252' }),
  ],
  'a column without a name': [csv(',b\n1,2\n', [{ column0: '1', b: '2' }])],
  'records with fewer or more fields than the header': [csv('a,b\n1\n'), csv('a,b\n1,2,3\n')],
  '… with `csv_ragged pad`': [
    csv(
      'a,b\n1\n1,2,3\n',
      [
        { a: '1', b: '', column2: '' },
        { a: '1', b: '2', column2: '3' },
      ],
      { ragged: 'pad' },
    ),
  ],
  '… with `csv_ragged skip`': [csv('a,b\n1\n1,2\n', AB, { ragged: 'skip' })],
  'a record, or header, of more than 4,000,000 bytes': [
    csv(`a,b\n1,${'x'.repeat(4_000_000)}\n`),
    csv(`${'x'.repeat(4_000_001)}\n1\n`),
  ],
  texts: [jsonl('{"a":" \\u0000\\n\\ufeff"}\n', [{ a: ' \0\n\ufeff' }])],
  'numbers, booleans, lists, objects': [
    jsonl('{"a":1.50,"b":12345678901234567890,"c":true,"d":[1.0, "x"],"e":{"a" : 1}}\n', [
      { a: '1.50', b: '12345678901234567890', c: 'true', d: '[1.0, "x"]', e: '{"a" : 1}' },
    ]),
  ],
  '`null`, and a key that is missing': [
    jsonl('{"a":null,"b":"x"}\n{"a":"y"}\n', [
      { a: null, b: 'x' },
      { a: 'y', b: null },
    ]),
  ],
  'a lone surrogate in a value': [jsonl('{"a":"\\ud83d"}\n', [{ a: '\ufffd' }])],
  'a key that is there twice': [jsonl('{"a":"x","a":"y"}\n', [{ a: 'y' }])],
  'keys in any order, also ones that look like numbers': [
    jsonl('{"b":"x","10":"y"}\n{"2":"z","a":"w","10":"v"}\n', [
      { b: 'x', '10': 'y', '2': null, a: null },
      { b: null, '10': 'v', '2': 'z', a: 'w' },
    ]),
  ],
  'one list of objects, as `.json`': [jsonl('[{"a":"1"},\n{"a":"2"}]', [{ a: '1' }, { a: '2' }], 'x.json')],
  'a line, or an entry of a list, that is no object': [
    jsonl('{"a":1}\n2\n'),
    jsonl('[{"a":1},2]', undefined, 'x.json'),
  ],
  'a line, or an entry, of more than 16,000,000 bytes': [
    jsonl(`{"a":"${'x'.repeat(16_000_000)}"}\n`),
    jsonl(`[{"a":"${'x'.repeat(16_000_000)}"}]`, undefined, 'x.json'),
  ],
};

/** Cases of several files together. */
const ELSEWHERE = ['a file of 0 bytes, or of blank lines, beside others'];

/** The lines of the page's tables: what, and what becomes of it. */
async function linesOfPage(): Promise<{ what: string; outcome: string }[]> {
  const page = await readFile('docs/data.md', 'utf8');
  const held = /<!-- begin held by .* -->\n([\s\S]*?)<!-- end held/.exec(page)?.[1] ?? '';
  return [...held.matchAll(/^\| (.+?) \| (kept|converted|refused) \|/gm)].map(
    ([, what = '', outcome = '']) => ({
      what: what.replaceAll('\\|', '|'),
      outcome,
    }),
  );
}

const lines = await linesOfPage();

test('the page and the cases have the same lines', () => {
  expect(new Set(lines.map(({ what }) => what))).toEqual(new Set([...Object.keys(CASES), ...ELSEWHERE]));
});

const tried = lines.flatMap(({ what, outcome }) =>
  (CASES[what] ?? []).map((each) => ({ what, outcome, ...each })),
);

test.each(tried)('$what: $outcome', async ({ outcome, name, content, options, rows }) => {
  const file = await writeSource(name, content);
  expect(rows === undefined).toBe(outcome === 'refused');
  if (rows === undefined) {
    await expect(describeDataset([file], options)).rejects.toHaveProperty('name', 'InvalidDatasetError');
    return;
  }
  const dataset = await describeDataset([file], options);
  const [prepared] = await prepareAll([file], 'x', { dataset });
  const found = await query(
    `SELECT CAST(to_json(r) AS VARCHAR) AS json FROM (SELECT * EXCLUDE (__quarry_record_id, __quarry_error_code) FROM '${prepared?.rowsPath}') AS r`,
  );
  const given = (row: object) =>
    Object.fromEntries(Object.entries(row).map(([column, value]) => [givenName(column), value]));
  expect(found.map(({ json }) => given(JSON.parse(String(json))))).toEqual(rows);
  expect(dataset.columns.map((column) => givenName(column.name)).toSorted()).toEqual(
    Object.keys(rows[0] ?? {}).toSorted(),
  );
});

test('keys that look like numbers stay where they were first used', async () => {
  const [{ content = '' } = {}] = CASES['keys in any order, also ones that look like numbers'] ?? [];
  const { columns } = await describeDataset([await writeSource('x.jsonl', content)]);
  expect(columns.map(({ name }) => name)).toEqual(['b', '10', '2', 'a']);
});
