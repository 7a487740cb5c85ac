import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { RowWindow, SourceFile } from '../../../src/rows/bytes/source-bytes.ts';
import { readCsvRecords } from '../../../src/rows/csv/csv-records.ts';
import { readCsvStructure } from '../../../src/rows/csv/csv-structure.ts';
import { describeDataset } from '../../../src/rows/sources/describe-dataset.ts';
import { boundsOf, cutText, type TextPiece } from '../../../src/rows/sources/text-pieces.ts';
import { createDirectory, prepareAll, promptOf, readRecords, writeSource } from '../../support/rows.ts';

const HEADER = '"a, ""quoted""\nname",b\n';
const FILE_BYTES = 750_000;

/** Rows whose records have newlines, quotes and delimiters in them; 4 MB. */
function recordsOf(rows: number): string[] {
  return Array.from(
    { length: rows },
    (_, row) =>
      `${row},"line ""${row}"",\n${'é"",\n'.repeat((row * 7) % 97)}"${row % 3 === 0 ? '\r\n' : '\n'}`,
  );
}

function cutCsv(
  file: SourceFile,
  directory: string,
  windows: readonly RowWindow[],
): AsyncGenerator<TextPiece> {
  return cutText(readCsvRecords(file, boundsOf(windows)), {
    windows,
    hasHeader: true,
    fileBytes: FILE_BYTES,
    pieceBytes: 2 * FILE_BYTES,
    scratchPrefix: join(directory, 'piece-'),
  });
}

test('the pieces of a file are all its records, in order, each below the header', async () => {
  const records = recordsOf(20_000);
  const file = await writeSource('x.csv', HEADER + records.join('').slice(0, -1));
  const scratchDirectory = await createDirectory();
  let [text, rows, pieces, files] = ['', 0, 0, 0];
  for await (const piece of cutCsv(file, scratchDirectory, [{ firstRow: 0, rows: 20_000 }])) {
    let rowsOfPiece = 0;
    expect(piece.firstRow).toBe(rows);
    for (const path of piece.paths) {
      const content = await readFile(path, 'utf8');
      expect(content.startsWith(HEADER)).toBe(true);
      rowsOfPiece += (await readCsvStructure({ ...file, path }))?.rows ?? 0;
      text += content.slice(HEADER.length);
      files += 1;
    }
    expect(rowsOfPiece).toBe(piece.rows);
    rows += piece.rows;
    pieces += 1;
    await piece[Symbol.asyncDispose]();
  }
  expect(text).toBe(records.join(''));
  expect(rows).toBe(20_000);
  expect(pieces).toBeGreaterThan(2);
  expect(files).toBeGreaterThan(pieces);
  expect(await readdir(scratchDirectory)).toEqual([]);
});

test('whoever wants no more rows leaves no pieces behind, and no more are cut than the rows need', async () => {
  const file = await writeSource('x.csv', HEADER + recordsOf(20_000).join(''));
  const scratchDirectory = await createDirectory();
  const cut = (rows: number) => cutCsv(file, scratchDirectory, [{ firstRow: 0, rows }]);
  const few: TextPiece[] = await Array.fromAsync(cut(10));
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
    for await (const piece of cutCsv(file, scratchDirectory, [{ firstRow: 0, rows: 20_001 }])) {
      await piece[Symbol.asyncDispose]();
    }
  };
  await expect(reading()).rejects.toThrow(
    /^Line \d+ of s3:\/\/data\/x\.csv begins a record with a quote that is never closed\. Close it; /,
  );
  expect(await readdir(scratchDirectory)).toEqual([]);
});

test.each(['big.csv', 'big.csv.gz', 'big.jsonl', 'big.jsonl.gz'])(
  'the parts of %s, which is read in many files, have its rows in their order',
  async (name) => {
    const rows = 45_000;
    const filling = `say "x",\n${'some words, '.repeat(60)}`;
    const records = Array.from({ length: rows }, (_, row) =>
      name.startsWith('big.csv')
        ? `${row},"${filling.replaceAll('"', '""')}${row}"\n`
        : `${JSON.stringify({ n: row, text: filling + row })}\n${row % 9 === 0 ? '\n' : ''}`,
    );
    const content = `${name.startsWith('big.csv') ? 'n,text\n' : ''}${records.join('')}`;
    const file = await writeSource(name, name.endsWith('.gz') ? gzipSync(content, { level: 1 }) : content);
    const dataset = await describeDataset([file]);
    expect(dataset.rows).toBe(rows);
    const parts = await prepareAll([file], '{n}: {text}', { rowsPerPart: 22_000 });
    const prompts: (string | undefined)[] = [];
    for (const { recordsPath } of parts) prompts.push(...(await readRecords(recordsPath)).map(promptOf));
    expect(prompts).toHaveLength(rows);
    expect(prompts.findIndex((prompt, row) => prompt !== `${row}: ${filling}${row}`)).toBe(-1);
  },
);
