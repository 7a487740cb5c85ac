import { expect, test } from 'vitest';
import type { CsvOptions, SkippedRecord } from '../../../src/rows/csv/csv-structure.ts';
import { datasetNotes } from '../../../src/rows/sources/dataset-notes.ts';
import { describeDataset } from '../../../src/rows/sources/describe-dataset.ts';
import { prepareAll, query, writeSource } from '../../support/rows.ts';

/** What Plan notes of a CSV, its columns, and its rows as Prepare stages them. */
async function readCsv(content: string | Uint8Array, csv: CsvOptions = {}) {
  const file = await writeSource('x.csv', content);
  const dataset = await describeDataset([file], { csv });
  const [prepared] = await prepareAll([file], 'x', { dataset });
  const columns = dataset.columns.map(({ name }) => name);
  const rows = await query(`SELECT ${columns.join(', ')} FROM '${prepared?.rowsPath}'`);
  return {
    notes: datasetNotes(dataset).map((note) => note.replace('s3://data/', '')),
    columns,
    rows: rows.map((row) => Object.values(row)),
  };
}

test('lines of old Macs end in carriage returns, which is noted, whatever else is said of the file', async () => {
  const note = 'x.csv: lines end in a carriage return alone';
  expect(await readCsv('a;b\r1;"2\n"\r')).toEqual({
    notes: ['x.csv: fields are separated by ";"', note],
    columns: ['a', 'b'],
    rows: [['1', '2\n']],
  });
  expect(await readCsv('sep=;\ra;b\r1;2\r')).toMatchObject({ columns: ['a', 'b'], rows: [['1', '2']] });
  const marked = await readCsv("made by x\r#\ra,b\r#,\r1,'2\r\\\n3'\r4\r", {
    skip: 1,
    comment: '#',
    escape: '\\',
    quote: "'",
    ragged: 'pad',
  });
  expect(marked).toMatchObject({
    columns: ['a', 'b'],
    rows: [
      ['1', '2\r\n3'],
      ['4', ''],
    ],
  });
  expect(marked.notes).toContain(note);
  expect((await readCsv('a\rb', { hasHeader: false, quote: '' })).rows).toEqual([['a'], ['b']]);
  const skipped: SkippedRecord[] = [];
  const file = await writeSource('x.csv', 'a,b\r1\r2,"3\n"\r4,5,6\r');
  const { rows } = await describeDataset([file], {
    csv: { ragged: 'skip' },
    onSkipped: async (_, record) => void skipped.push(record),
  });
  expect(rows).toBe(1);
  expect(skipped).toEqual([
    { line: 2, fields: 1, text: '1' },
    { line: 4, fields: 3, text: '4,5,6' },
  ]);
  await expect(readCsv('x\ry\na,b\r1,2', { skip: 1 })).rejects.toThrow(
    'Line 2 of s3://data/x.csv has a carriage',
  );
  await expect(readCsv('x\ra,"\n1,2\n3,""\n"', { skip: 1 })).rejects.toThrow(
    's3://data/x.csv can be read in 2 ways: its lines end in newlines, or in carriage returns. Write it with newlines alone.',
  );
  expect((await readCsv('x\ry\na,b\n1,2\n', { skip: 1 })).rows).toEqual([['1', '2']]);
  const mac = Buffer.from('a,b\r1,caf\x8e\r', 'latin1');
  expect((await readCsv(mac, { encoding: 'macintosh' })).rows).toEqual([['1', 'café']]);
});
