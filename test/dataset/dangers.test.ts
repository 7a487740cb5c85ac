/** The ways in which DuckDB and its bindings were seen to lose data without a word; each is kept out here. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { recordIdOf } from '../../src/core/record-id.ts';
import { openDuckDb, sqlText } from '../../src/dataset/duckdb.ts';
import { copyLinesSql, countLines, writeLines } from '../../src/dataset/lines-file.ts';
import {
  collect,
  converseLine,
  createDirectory,
  prepareAll,
  promptOf,
  readRecords,
  writeParquet,
  writeSource,
} from './support.ts';

const sources = await Promise.all(
  (await readdir('src/dataset'))
    .filter((name) => name.endsWith('.ts'))
    .map(async (name) => ({
      name,
      text: await readFile(join('src/dataset', name), 'utf8'),
    })),
);

test('no vector is read whose chunk may be gone, and no stream that swallows the error of its query', () => {
  for (const { name, text } of sources) {
    expect(text, name).not.toMatch(
      /getColumnVector|fetchChunk|fetchAllChunks|yieldRows|yieldRowObjects|streamAndRead|\.stream\(/,
    );
  }
});

test('a query that fails half-way rejects, whichever way it is run', async () => {
  const scratchDirectory = await createDirectory();
  await using db = await openDuckDb({ memoryMb: 512, threads: 2, scratchDirectory });
  const failing = `SELECT CASE WHEN i = 199999 THEN error('half-way') ELSE i END AS n FROM range(200000) r(i)`;
  await expect(db.rows(failing)).rejects.toThrow('half-way');
  await expect(
    db.copy(`COPY (${failing}) TO ${sqlText(join(scratchDirectory, 'x'))} (FORMAT PARQUET)`),
  ).rejects.toThrow('half-way');
  await expect(
    writeLines(db, `SELECT CAST(n AS VARCHAR) FROM (${failing})`, join(scratchDirectory, 'y')),
  ).rejects.toThrow('half-way');
});

test('a database is closed only when its last statement is done', async () => {
  const scratchDirectory = await createDirectory();
  const db = await openDuckDb({ memoryMb: 512, threads: 2, scratchDirectory });
  const slow = db.row('SELECT CAST(sum(hash(i) % 7) AS DOUBLE) AS n FROM range(3000000) r(i)');
  await db[Symbol.asyncDispose]();
  expect(Number((await slow).n)).toBeGreaterThan(0);
});

test('CSV with many quoted newlines is read serially and whole', async () => {
  const rows = Array.from({ length: 20_000 }, (_, n) => `${n},"line one of ${n}\nline ""two"", of ${n}\r\n"`);
  const file = await writeSource('m.csv', `n,text\n${rows.join('\n')}\n`);
  const [prepared] = await prepareAll([file], '{n}|{text}');
  const records = await readRecords(prepared?.recordsPath ?? '');
  expect(records.map(promptOf)).toEqual(rows.map((_, n) => `${n}|line one of ${n}\nline "two", of ${n}\r\n`));
});

test('a lone surrogate costs no row its answer', async () => {
  const [prepared] = await prepareAll(
    [await writeParquet('p.parquet', 'SELECT i AS n FROM range(3) r(i)')],
    '{n}',
  );
  const output = [0, 1, 2]
    .map((row) => converseLine(recordIdOf(row), row === 1 ? '\ud83d' : 'fine'))
    .join('\n');
  expect(output).toContain('\\ud83d');
  const collected = await collect(prepared?.rowsPath ?? '', [output]);
  expect(collected.rows).toEqual({ total: 3, succeeded: 3, failed: 0, not_sent: 0 });
});

test('a leading byte order mark, NULL beside text, and placeholders within values survive the prompt', async () => {
  const file = await writeParquet(
    'p.parquet',
    `SELECT * FROM (VALUES ('\ufeff{b}', '$&{a}'), (NULL, 'x'), ('{{a}}', '')) AS t(a, b)`,
  );
  const [prepared] = await prepareAll([file], '{a}+{b}');
  expect((await readRecords(prepared?.recordsPath ?? '')).map(promptOf)).toEqual([
    '\ufeff{b}+$&{a}',
    '{{a}}+',
  ]);
});

test('readers of lines have explicit bounds of their buffers', () => {
  for (const { name, text } of sources) {
    const readers = text.match(/`read_(?:csv|json)\(/g)?.length ?? 0;
    expect(text.match(/max_line_size|maximum_object_size/g)?.length ?? 0, name).toBeGreaterThanOrEqual(
      readers,
    );
  }
});

test('FORMAT BLOB and the CSV writer leave the same bytes', async () => {
  const scratchDirectory = await createDirectory();
  await using db = await openDuckDb({ memoryMb: 512, threads: 1, scratchDirectory });
  const text = `'{"a":"' || i || ',''"\\\\ \\u0000 é😀\u2028' || repeat('x', CAST(i % 50 AS BIGINT)) || '"}'`;
  const sql = `SELECT ${text} AS line FROM range(30000) r(i)`;
  const [blob, csv] = [join(scratchDirectory, 'blob'), join(scratchDirectory, 'csv')];
  expect(await db.copy(copyLinesSql(sql, blob, 'blob'))).toBe(30_000);
  expect(await db.copy(copyLinesSql(sql, csv, 'csv'))).toBe(30_000);
  expect((await readFile(blob)).equals(await readFile(csv))).toBe(true);
  expect(await countLines(blob)).toBe(30_000);
});

test('a DuckDB without FORMAT BLOB writes its lines as CSV, and other faults are not taken for that', async () => {
  const copied: string[] = [];
  const db = (fault: string) => ({
    copy: async (sql: string) => {
      copied.push(sql);
      if (copied.length === 1) throw new Error(fault);
      return 7;
    },
    run: async () => {},
    rows: async () => [],
    row: async () => ({}),
    [Symbol.asyncDispose]: async () => {},
  });
  const missing = 'Catalog Error: Copy Function with name blob does not exist!\nDid you mean "csv"?';
  expect(await writeLines(db(missing), 'SELECT 1', '/x')).toBe(7);
  expect(copied.map((sql) => /FORMAT (\w+)/.exec(sql)?.[1])).toEqual(['BLOB', 'CSV']);
  copied.length = 0;
  await expect(
    writeLines(db('Binder Error: Table with name x does not exist!'), 'SELECT 1', '/x'),
  ).rejects.toThrow('Binder');
});
