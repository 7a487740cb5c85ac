import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openDuckDb, sqlText } from '../../../src/rows/duckdb/duckdb.ts';
import { openSparseParquet } from '../../../src/rows/parquet/sparse-parquet.ts';
import { createDirectoryStore } from '../../../src/store/directory-store.ts';
import { asRemote, bytesOf } from '../../support/remote-store.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const URI = 's3://bucket/data.parquet';
const ROWS = 40_000;
const COLUMNS = ['id', 'text', 'nested', 'tags, all'];

/** A Parquet object of four row groups with columns of every kind, far away. */
async function remoteFile() {
  const directory = await temporaryDirectory();
  const inner = createDirectoryStore(directory);
  const path = join(directory, 'made.parquet');
  await using db = await openDuckDb({ memoryMb: 256, threads: 1, scratchDirectory: directory });
  await db.run(`COPY (SELECT range AS id, 'text ' || range || repeat(chr(33 + CAST(range % 90 AS INTEGER)), CAST(range % 50 AS INTEGER)) AS text,
      {'a': range, 'b': [range, NULL]} AS nested, map([CAST(range AS VARCHAR)], [range]) AS "tags, all"
    FROM range(${ROWS})) TO ${sqlText(path)} (FORMAT PARQUET, ROW_GROUP_SIZE 10240)`);
  await inner.putFile(path, URI);
  const remote = asRemote(inner);
  const { size = 0 } = (await inner.head(URI)) ?? {};
  const original = inner.localPath?.(URI) ?? '';
  const rowsOf = async (file: string, where: string, columns = COLUMNS) => {
    await using reader = await openDuckDb({ memoryMb: 256, threads: 1, scratchDirectory: directory });
    return reader.rows(
      `SELECT ${columns.map((name) => `"${name}"`).join(', ')} FROM read_parquet(${sqlText(file)}, hive_partitioning = false) WHERE ${where} ORDER BY id`,
    );
  };
  return { ...remote, directory, size, original, rowsOf, object: { uri: URI, size } as const };
}

describe('a sparse copy of a Parquet object', () => {
  test('has, of the rows and columns fetched, the same values as the whole file, for fewer bytes', async () => {
    const { store, ranges, directory, size, original, rowsOf, object } = await remoteFile();
    await using sparse = await openSparseParquet(object, { store, scratchDirectory: directory });
    const window = { firstRow: 15_000, rows: 3000 };
    await sparse.fetchRows(COLUMNS, window);
    const where = 'file_row_number >= 15000 AND file_row_number < 18000';
    expect(await rowsOf(sparse.path, where)).toEqual(await rowsOf(original, where));
    // One row group of four, and the end.
    expect(bytesOf(ranges)).toBeLessThan(size * 0.25 + 2 * 64 * 1024);
    expect((await stat(sparse.path)).size).toBe(size);
  });

  test('fetches no column but those asked for, and nothing twice', async () => {
    const { store, ranges, directory, original, rowsOf, object } = await remoteFile();
    await using sparse = await openSparseParquet(object, { store, scratchDirectory: directory });
    const footer = bytesOf(ranges);
    await sparse.fetchRows(['id'], { firstRow: 0, rows: ROWS });
    const ids = bytesOf(ranges) - footer;
    expect(await rowsOf(sparse.path, 'true', ['id'])).toEqual(await rowsOf(original, 'true', ['id']));
    await sparse.fetchRows(['id'], { firstRow: 5000, rows: 20_000 });
    expect(bytesOf(ranges)).toBe(footer + ids);
    await sparse.fetchRows(['tags, all'], { firstRow: 0, rows: 1 });
    expect(await rowsOf(sparse.path, 'file_row_number < 1', ['tags, all', 'id'])).toEqual(
      await rowsOf(original, 'file_row_number < 1', ['tags, all', 'id']),
    );
  });

  test('fetched whole, is the file, byte for byte where there is data', async () => {
    const { store, directory, original, rowsOf, object } = await remoteFile();
    await using sparse = await openSparseParquet(object, { store, scratchDirectory: directory });
    await sparse.fetchRows(COLUMNS, { firstRow: 0, rows: ROWS });
    expect(await rowsOf(sparse.path, 'true')).toEqual(await rowsOf(original, 'true'));
  });

  test('is gone once it is disposed of', async () => {
    const { store, directory, object } = await remoteFile();
    const sparse = await openSparseParquet(object, { store, scratchDirectory: directory });
    await sparse[Symbol.asyncDispose]();
    await expect(stat(sparse.path)).rejects.toThrow('ENOENT');
  });

  test('finds a footer that is longer than what is read first', async () => {
    const directory = await temporaryDirectory();
    const inner = createDirectoryStore(directory);
    const path = join(directory, 'wide.parquet');
    await using db = await openDuckDb({ memoryMb: 256, threads: 1, scratchDirectory: directory });
    const columns = Array.from({ length: 2000 }, (_, index) => `range AS column_${index}`);
    await db.run(`COPY (SELECT ${columns.join(', ')} FROM range(10)) TO ${sqlText(path)} (FORMAT PARQUET)`);
    const bytes = await readFile(path);
    expect(bytes.readUInt32LE(bytes.length - 8)).toBeGreaterThan(64 * 1024);
    await inner.putFile(path, URI);
    const { store } = asRemote(inner);
    await using sparse = await openSparseParquet(
      { uri: URI, size: bytes.length },
      { store, scratchDirectory: directory },
    );
    await sparse.fetchRows(['column_1999'], { firstRow: 0, rows: 10 });
    const [row] = await db.rows(
      `SELECT CAST(sum(column_1999) AS INTEGER) AS sum FROM read_parquet(${sqlText(sparse.path)})`,
    );
    expect(row).toEqual({ sum: 45 });
  });

  test.each([
    ['too short', 'PAR1'],
    ['of other bytes', 'x'.repeat(1000)],
    ['broken off', `PAR1${'x'.repeat(1000)}`],
    ['of an impossible length', `PAR1${'x'.repeat(100)}\xff\xff\xff\x7fPAR1`],
  ])('of an object that is %s is refused', async (_, text) => {
    const directory = await temporaryDirectory();
    const inner = createDirectoryStore(directory);
    await writeFile(join(directory, 'bad'), text, 'latin1');
    await inner.putFile(join(directory, 'bad'), URI);
    const opening = openSparseParquet(
      { uri: URI, size: text.length },
      { store: asRemote(inner).store, scratchDirectory: directory },
    );
    await expect(opening).rejects.toThrow(`${URI} is not a Parquet file: it does not end like one.`);
  });

  test('of an object that gives fewer bytes than it says is refused', async () => {
    const { store, directory, object } = await remoteFile();
    const short = { ...object, size: object.size + 10 };
    await expect(openSparseParquet(short, { store, scratchDirectory: directory })).rejects.toThrow(
      /gave \d+ of the bytes/,
    );
  });
});
