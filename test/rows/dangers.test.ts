/** The ways in which DuckDB and its bindings were seen to lose data without a word; each is kept out here. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { recordIdOf } from '../../src/core/record-id.ts';
import { countLines, writeLines } from '../../src/rows/bytes/lines-file.ts';
import { openDuckDb, sqlText } from '../../src/rows/duckdb/duckdb.ts';
import {
  collect,
  converseLine,
  createDirectory,
  prepareAll,
  promptOf,
  readRecords,
  writeParquet,
  writeSource,
} from '../support/rows.ts';

const sources = await Promise.all(
  (await readdir('src/rows', { recursive: true }))
    .filter((name) => name.endsWith('.ts'))
    .map(async (name) => ({
      name,
      text: await readFile(join('src/rows', name), 'utf8'),
    })),
);

test('every room of the rows is looked at', () => {
  expect(sources.map(({ name }) => name)).toContain(join('collect', 'collect-part.ts'));
});

test('no vector is read whose chunk may be gone, and no stream that swallows the error of its query', () => {
  for (const { name, text } of sources) {
    expect(text, name).not.toMatch(
      /getColumnVector|fetchChunk|fetchAllChunks|yieldRows|yieldRowObjects|streamAndRead|\.stream\(/,
    );
  }
});

test('no lines are read by readline, which ends them within a text at U+2028', async () => {
  for (const name of await readdir('src', { recursive: true })) {
    // A line that somebody types is no dataset's.
    if (name.endsWith('.ts') && name !== join('cli', 'options', 'ask.ts'))
      expect(await readFile(join('src', name), 'utf8'), name).not.toContain('readline');
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

test('lines are the very bytes of their texts, as the hardly documented FORMAT BLOB leaves them', async () => {
  const scratchDirectory = await createDirectory();
  await using db = await openDuckDb({ memoryMb: 512, threads: 1, scratchDirectory });
  const text = `'{"a":"' || i || ',''"\\\\ \\u0000 é😀\u2028' || repeat('x', CAST(i % 50 AS BIGINT)) || '"}'`;
  const [blob, lines] = [join(scratchDirectory, 'blob'), join(scratchDirectory, 'lines')];
  const sql = `SELECT ${text} AS line FROM range(30000) r(i)`;
  await db.copy(
    `COPY (SELECT encode(concat(line, chr(10))) FROM (${sql})) TO ${sqlText(blob)} (FORMAT BLOB)`,
  );
  expect(await writeLines(db, sql, lines)).toBe(30_000);
  expect((await readFile(lines)).equals(await readFile(blob))).toBe(true);
  expect(await countLines(lines)).toBe(30_000);
});

test('a line of many megabytes is written whole', async () => {
  const scratchDirectory = await createDirectory();
  await using db = await openDuckDb({ memoryMb: 512, threads: 1, scratchDirectory });
  const path = join(scratchDirectory, 'lines');
  const sql = `SELECT repeat(chr(CAST(97 + i AS INTEGER)), CAST(20000000 + i AS BIGINT)) AS line FROM range(3) r(i)`;
  expect(await writeLines(db, sql, path)).toBe(3);
  const lines = (await readFile(path, 'utf8')).split('\n');
  expect(lines.map((line) => [line[0], line.length])).toEqual([
    ['a', 20_000_000],
    ['b', 20_000_001],
    ['c', 20_000_002],
    [undefined, 0],
  ]);
});
