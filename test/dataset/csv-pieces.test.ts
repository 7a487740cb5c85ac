import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { type CsvPiece, cutCsv } from '../../src/dataset/csv-pieces.ts';
import { readCsvStructure } from '../../src/dataset/csv-structure.ts';
import { describeDataset } from '../../src/dataset/describe.ts';
import { createDirectory, prepareAll, promptOf, readRecords, writeSource } from './support.ts';

const HEADER = '"a, ""quoted""\nname",b\n';
const PIECE_BYTES = 1_500_000;

/** Rows whose records have newlines, quotes and delimiters in them; 4 MB. */
function recordsOf(rows: number): string[] {
  return Array.from(
    { length: rows },
    (_, row) =>
      `${row},"line ""${row}"",\n${'é"",\n'.repeat((row * 7) % 97)}"${row % 3 === 0 ? '\r\n' : '\n'}`,
  );
}

test('the pieces of a file are all its records, in order, each below the header', async () => {
  const records = recordsOf(20_000);
  const file = await writeSource('x.csv', HEADER + records.join('').slice(0, -1));
  const scratchDirectory = await createDirectory();
  let [text, rows, pieces] = ['', 0, 0];
  for await (const piece of cutCsv(file, { scratchDirectory, rows: 20_000, pieceBytes: PIECE_BYTES })) {
    const content = await readFile(piece.path, 'utf8');
    expect(content.startsWith(HEADER)).toBe(true);
    expect((await readCsvStructure({ ...file, path: piece.path })).rows).toBe(piece.rows);
    text += content.slice(HEADER.length);
    rows += piece.rows;
    pieces += 1;
    await piece[Symbol.asyncDispose]();
  }
  expect(text).toBe(records.join(''));
  expect(rows).toBe(20_000);
  expect(pieces).toBeGreaterThan(2);
  expect(await readdir(scratchDirectory)).toEqual([]);
});

test('whoever wants no more rows leaves no pieces behind, and no more are cut than the rows need', async () => {
  const file = await writeSource('x.csv', HEADER + recordsOf(20_000).join(''));
  const scratchDirectory = await createDirectory();
  const cut = (rows: number) => cutCsv(file, { scratchDirectory, rows, pieceBytes: PIECE_BYTES });
  const few: CsvPiece[] = await Array.fromAsync(cut(10));
  expect(few).toHaveLength(1);
  for (const piece of few) await piece[Symbol.asyncDispose]();
  for await (const piece of cut(20_000)) {
    await piece[Symbol.asyncDispose]();
    break;
  }
  expect(await readdir(scratchDirectory)).toEqual([]);
});

test('a file that broke in the meantime says where, and leaves no pieces behind', async () => {
  const file = await writeSource('x.csv', `${HEADER + recordsOf(20_000).join('')}1,"never closed\n`);
  const scratchDirectory = await createDirectory();
  const reading = async () => {
    for await (const piece of cutCsv(file, { scratchDirectory, rows: 20_001, pieceBytes: PIECE_BYTES })) {
      await piece[Symbol.asyncDispose]();
    }
  };
  await expect(reading()).rejects.toThrow(
    /^Line \d+ of s3:\/\/data\/x\.csv begins a record with a quote that is never closed\. Close it\.$/,
  );
  expect(await readdir(scratchDirectory)).toEqual([]);
});

test('a file of many doubled quotes is read piece by piece, into parts that straddle them', async () => {
  const rows = 70_000;
  const filling = 'say ""x"", '.repeat(90);
  const records = Array.from({ length: rows }, (_, row) => `${row},"${filling}${row}"\n`);
  const file = await writeSource('big.csv', `n,text\n${records.join('')}`);
  const dataset = await describeDataset([file]);
  expect(dataset.rows).toBe(rows);
  const parts = await prepareAll([file], '{n}: {text}', { rowsPerPart: 30_000 });
  const prompts: (string | undefined)[] = [];
  for (const { recordsPath } of parts) prompts.push(...(await readRecords(recordsPath)).map(promptOf));
  expect(prompts).toHaveLength(rows);
  const plain = 'say "x", '.repeat(90);
  expect(prompts.findIndex((prompt, row) => prompt !== `${row}: ${plain}${row}`)).toBe(-1);
});
