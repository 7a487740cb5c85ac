import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import spectrum from 'csv-spectrum';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RowWindow } from '../../../src/rows/bytes/source-bytes.ts';
import { readCsvRecords } from '../../../src/rows/csv/csv-records.ts';
import { readCsvStructure } from '../../../src/rows/csv/csv-structure.ts';
import { openDuckDb } from '../../../src/rows/duckdb/duckdb.ts';
import { describeDataset } from '../../../src/rows/sources/describe-dataset.ts';
import { openRelations } from '../../../src/rows/sources/source-relation.ts';
import { createDirectory, prepareAll, query, writeSource } from '../../support/rows.ts';

/** The rows of a CSV as Prepare stages them. */
async function readCsv(name: string, content: string | Uint8Array): Promise<Record<string, unknown>[]> {
  const file = await writeSource(name, content);
  const [prepared] = await prepareAll([file], 'x');
  // By way of JSON: reading a text directly loses a byte order mark that it begins with.
  const rows = await query(
    `SELECT CAST(to_json(r) AS VARCHAR) AS json FROM (SELECT * EXCLUDE (__quarry_record_id, __quarry_error_code) FROM '${prepared?.rowsPath}') AS r`,
  );
  return rows.map(({ json }) => JSON.parse(String(json)));
}

function toCsv(rows: readonly (readonly string[])[], newline: string): string {
  return rows
    .map((row) =>
      row.map((field) => (/[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(','),
    )
    .join(newline);
}

const spectrumCases = await new Promise<{ name: string; csv: Buffer; json: Buffer }[]>((resolve, reject) => {
  spectrum((error, data) => (error ? reject(error) : resolve(data)));
});

// The JSON of location_coordinates is not that of its CSV: another telephone number.
const soundCases = spectrumCases.filter(({ name }) => name !== 'location_coordinates');

test.each(soundCases.map(({ name, csv, json }) => [name, csv, json] as const))(
  'csv-spectrum: %s',
  async (_name, csv, json) => {
    expect(await readCsv('s.csv', csv)).toEqual(JSON.parse(json.toString()));
  },
);

test('values are kept as they are written', async () => {
  const values = [
    '007',
    '12345678901234567890',
    '1e5',
    '1.50',
    'T',
    'NULL',
    'NA',
    'nan',
    '2024-01-31',
    ' x ',
    '',
  ];
  const rows = await readCsv('v.csv', `a,b\n${values.map((value) => `${value},"${value}"`).join('\n')}\n`);
  expect(rows).toEqual(values.map((value) => ({ a: value, b: value })));
});

test.each([
  ['a byte order mark', '\ufeffa,b\n1,2\n', [{ a: '1', b: '2' }]],
  [
    'CRLF',
    'a,b\r\n1,2\r\n3,4',
    [
      { a: '1', b: '2' },
      { a: '3', b: '4' },
    ],
  ],
  [
    'mixed newlines',
    'a,b\r\n1,2\n"x\r\ny",4\r\n5,6\n',
    [
      { a: '1', b: '2' },
      { a: 'x\r\ny', b: '4' },
      { a: '5', b: '6' },
    ],
  ],
  ['newlines in the header', '"a\n1","b""2"\n1,2\n', [{ 'a\n1': '1', 'b"2': '2' }]],
  ['quotes within a field without quotes', 'a,b\n5" pipe,x"y"z\n', [{ a: '5" pipe', b: 'x"y"z' }]],
  [
    'blank lines',
    'a,b\n\n1,2\n\r\n3,4\n\n',
    [
      { a: '1', b: '2' },
      { a: '3', b: '4' },
    ],
  ],
  [
    'a single column, whose blank lines are empty values',
    'a\n1\n\n"x;y"\n',
    [{ a: '1' }, { a: '' }, { a: 'x;y' }],
  ],
  ['NUL and a byte order mark within values', 'a,b\n"\0x\0",\ufeffy\n', [{ a: '\0x\0', b: '\ufeffy' }]],
  ['SQL in the header', `"a'); --",select\n1,2\n`, [{ "a'); --": '1', select: '2' }]],
])('CSV with %s', async (_name, content, expected) => {
  expect(await readCsv('x.csv', content)).toEqual(expected);
});

test('tab-separated and compressed files are read by their names', async () => {
  const text = '\ufeffa\tb\n"x\ty"\t1,2\n';
  const expected = [{ a: 'x\ty', b: '1,2' }];
  expect(await readCsv('x.tsv', text)).toEqual(expected);
  expect(await readCsv('x.tsv.gz', gzipSync(text))).toEqual(expected);
  expect(await readCsv('x.TSV.ZST', zstdCompressSync(text))).toEqual(expected);
});

test.each([
  ['a ragged row', 'a,b\n1,2\n3\n', 'Line 3 of s3://data/x.csv has 1 field, but the header has 2'],
  ['a long row', 'a,b\n"1\n1",2\n3,4,5\n', 'Line 4 of s3://data/x.csv has 3 fields, but the header has 2'],
  [
    'an unclosed quote',
    'a,b\n1,2\n3,"4\n5,6\n',
    'Line 3 of s3://data/x.csv begins a record with a quote that is never closed',
  ],
  [
    'an unclosed quote in the header',
    '"a,b\n1,2\n',
    'Line 1 of s3://data/x.csv begins a record with a quote that is never closed',
  ],
  ['text after a quote', 'a,b\n1,"2"x\n', 'Line 2 of s3://data/x.csv has text after a closing quote'],
  [
    'a newline among returns',
    `a,b\r${'1,2\r'.repeat(600_000)}3,4\n`,
    'Line 600002 of s3://data/x.csv has a newline outside quotes, though lines before it end in carriage returns',
  ],
  ['returns, and a newline soon after', 'a,b\r1,2\n', 'Line 1 of s3://data/x.csv has a carriage return'],
  ['a return among newlines', 'a,b\n1,2\r3,4\n', 'Line 2 of s3://data/x.csv has a carriage return'],
  ['another length among returns', 'a,b\r1,2\r3\r', 'Line 3 of s3://data/x.csv has 1 field'],
  [
    'Latin-1 among returns',
    Buffer.from('a,b\r1,2\r1,caf\xe9\r', 'latin1'),
    'Line 3 of s3://data/x.csv is not UTF-8',
  ],
  ['a carriage return at the end', 'a,b\n1,2\r', 'Line 2 of s3://data/x.csv has a carriage return'],
  [
    'a record too long for DuckDB',
    `a,b\n1,${'x'.repeat(4_000_000)}\n`,
    'Line 2 of s3://data/x.csv begins a record of 4000002 bytes',
  ],
  [
    'UTF-16 without a mark',
    Buffer.from('a,b\n1,2\n', 'utf16le'),
    's3://data/x.csv is UTF-16 without a byte order mark, it seems. Say so with csv_encoding',
  ],
  ['Latin-1', Buffer.from('a,b\n1,2\n1,caf\xe9\n', 'latin1'), 'Line 3 of s3://data/x.csv is not UTF-8'],
  ['half a character at the end', Buffer.from([97, 10, 0xc3]), 'Line 2 of s3://data/x.csv is not UTF-8'],
  ['a header twice', 'a,a\n1,2\n', 's3://data/x.csv has two columns named "a"'],
  ['a name for a column without one that another has', 'column1,\n1,2\n', 'two columns named "column1"'],
  ['a reserved header', '__quarry_x\n1\n', 'a name that Quarry needs itself'],
  ['nothing', '', 's3://data/x.csv is empty'],
  ['a mark only', '\ufeff', 's3://data/x.csv is empty'],
  ['a header only', 'a,b\n', 'The dataset has no rows: s3://data/x.csv'],
  ['a header only, without newline', '"a",b', 'The dataset has no rows: s3://data/x.csv'],
])('CSV with %s is refused', async (_name, content, message) => {
  const file = await writeSource('x.csv', content);
  await expect(describeDataset([file])).rejects.toThrow(message);
  await expect(describeDataset([file])).rejects.toHaveProperty('name', 'InvalidDatasetError');
});

test.each(['gz', 'zst'])('a file that is not what its ending .%s says is refused', async (ending) => {
  const file = await writeSource(`x.csv.${ending}`, 'a,b\n1,2\n');
  await expect(describeDataset([file])).rejects.toThrow(`s3://data/x.csv.${ending} cannot be unpacked`);
});

test('a truncated archive is refused', async () => {
  const whole = gzipSync(`a,b\n${'1,2\n'.repeat(10_000)}`);
  const file = await writeSource('x.csv.gz', whole.subarray(0, whole.length - 20));
  await expect(describeDataset([file])).rejects.toThrow('s3://data/x.csv.gz cannot be unpacked');
});

/** Windows that are together all rows. */
function windowsOf(rows: number, cuts: readonly number[]): RowWindow[] {
  const bounds = [...new Set([0, ...cuts.filter((cut) => cut < rows), rows])].sort((a, b) => a - b);
  return bounds.slice(1).map((end, index) => {
    const firstRow = bounds[index] ?? 0;
    return { firstRow, rows: end - firstRow };
  });
}

test('any table of texts comes back from CSV as it was', async () => {
  const field = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 12 }).map((text) => text.toWellFormed()),
    fc
      .array(fc.constantFrom('"', ',', '\n', '\r\n', '\r', 'a', '\0', ' ', '\ufeff', '😀', ';', '\t'), {
        maxLength: 8,
      })
      .map((a) => a.join('')),
  );
  const scratchDirectory = await createDirectory();
  const path = join(scratchDirectory, 'p');
  await using db = await openDuckDb({ memoryMb: 512, threads: 1, scratchDirectory });
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 3 }).chain((columns) =>
        fc.array(fc.array(field, { minLength: columns, maxLength: columns }), {
          minLength: 1,
          maxLength: 8,
        }),
      ),
      fc.constantFrom('\n', '\r\n'),
      fc.boolean(),
      fc.array(fc.integer({ min: 1, max: 7 }), { maxLength: 3 }),
      fc.boolean(),
      async (rows, newline, endsInNewline, cuts, isReadAnew) => {
        const header = rows[0]?.map((_, index) => `c${index}`) ?? [];
        // A last blank line without its newline is no line; so the last row of empty text is given one.
        const last = endsInNewline || rows.at(-1)?.join('') === '' ? newline : '';
        const content = toCsv([header, ...rows], newline) + last;
        await writeFile(path, content);
        const file = { uri: 's3://data/p.csv' as const, path };
        const structure = await readCsvStructure(file);
        expect(structure).toMatchObject({
          header,
          rows: rows.length,
          layout: { delimiter: ',', quote: '"' },
        });
        const wanted = {
          format: 'csv' as const,
          columns: header,
          reads: [
            {
              file,
              windows: windowsOf(rows.length, cuts),
              isPlain: structure?.isPlain === true && !isReadAnew,
            },
          ],
          scratchPrefix: join(scratchDirectory, 'text-'),
        };
        const read: unknown[] = [];
        for await (const relation of openRelations(wanted)) {
          const { from, rowNumber } = relation;
          const found = await db.rows(
            `SELECT CAST(to_json(r) AS VARCHAR) AS json FROM (SELECT ${rowNumber} AS n, * FROM ${from}) AS r`,
          );
          read.push(...found.map(({ json }) => Object.values(JSON.parse(String(json)))));
          await relation[Symbol.asyncDispose]();
        }
        expect(read).toEqual(rows.map((fields, row) => [row, ...fields]));
        const records = await Array.fromAsync(readCsvRecords(file));
        const ended = content.endsWith('\n') ? content : `${content}${newline}`;
        expect(Buffer.concat(records.flatMap(({ chunks }) => chunks)).toString()).toBe(ended);
        expect(records.reduce((sum, { rows: count }) => sum + count, 0)).toBe(rows.length);
      },
    ),
    { numRuns: 200 },
  );
});

test('quoted fields that lie across the buffers of DuckDB and of ours are read as they are', async () => {
  const rows: string[][] = [];
  for (let row = 0; row < 30_000; row++) {
    rows.push([
      String(row),
      `${'x"\n,é'.repeat(row % 300)}${row % 7 === 0 ? '\r\n' : ''}`,
      row % 3 === 0 ? '' : 'q"',
    ]);
  }
  const content = toCsv([['a', 'b', 'c'], ...rows], '\n');
  const file = await writeSource('big.csv', content);
  expect((await describeDataset([file])).rows).toBe(30_000);
  const [prepared] = await prepareAll([file], '{b}');
  const read = await query(`SELECT a, md5(b) AS b, c FROM '${prepared?.rowsPath}'`);
  expect(read).toEqual(
    rows.map(([a, b, c]) => ({
      a,
      b: createHash('md5')
        .update(b ?? '')
        .digest('hex'),
      c,
    })),
  );
  expect((await readFile(file.path)).length).toBeGreaterThan(16_000_000);
});
