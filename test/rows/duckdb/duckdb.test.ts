import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type DuckDb, openDuckDb } from '../../../src/rows/duckdb/duckdb.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const MIB = 1 << 20;

async function open(options: { memoryMb?: number; threads?: number } = {}): Promise<DuckDb> {
  return openDuckDb({ memoryMb: 64, threads: 1, scratchDirectory: await temporaryDirectory(), ...options });
}

/** Everything of a database that a user before could have changed. */
async function stateOf(db: DuckDb): Promise<unknown> {
  return {
    tables: await db.rows('SELECT table_name FROM duckdb_tables()'),
    settings: await db.rows(
      `SELECT name, value FROM duckdb_settings() WHERE name NOT IN ('temp_directory', 'home_directory', 'secret_directory', 'extension_directory') ORDER BY name`,
    ),
    schemas: await db.rows('SELECT schema_name FROM duckdb_schemas() WHERE NOT internal ORDER BY ALL'),
    databases: await db.rows('SELECT database_name FROM duckdb_databases() WHERE NOT internal'),
  };
}

/** What users of a database do, the harmless and the bad. */
const deeds: readonly string[] = [
  'CREATE TABLE numbers AS SELECT range AS n FROM range(100000)',
  'CREATE TABLE things (name VARCHAR)',
  'SET threads = 2',
  `SET disabled_optimizers = 'join_order'`,
  `SET GLOBAL memory_limit = '99MB'`,
  'CREATE VIEW seen AS SELECT 1 AS one',
  'CREATE SCHEMA elsewhere',
  `ATTACH ':memory:' AS other`,
  'SELECT no_such_column',
  `SELECT error('deliberate')`,
  'INSERT INTO missing VALUES (1)',
];

test('a database that is opened is as new, whatever was done with the ones before it', async () => {
  await using first = await open();
  const fresh = await stateOf(first);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.constantFrom(...deeds), { maxLength: 4 }), { minLength: 1, maxLength: 3 }),
      async (users) => {
        const opened = await Promise.all(users.map(() => open({ memoryMb: 128, threads: 2 })));
        for (const [index, db] of opened.entries()) {
          for (const deed of users[index] ?? []) await db.run(deed).catch(() => {});
        }
        await Promise.all(opened.map((db) => db[Symbol.asyncDispose]()));
        await using db = await open();
        expect(await stateOf(db)).toEqual(fresh);
      },
    ),
    { numRuns: 40 },
  );
});

test('databases that are open at once know nothing of each other', async () => {
  await using one = await open({ memoryMb: 64 });
  await using other = await open({ memoryMb: 128 });
  await one.run('CREATE TABLE mine AS SELECT 1 AS n');
  await expect(other.rows('FROM mine')).rejects.toThrow('mine');
  const limitOf = (db: DuckDb) => db.row(`SELECT current_setting('memory_limit') AS mib`);
  expect(await limitOf(one)).toEqual({ mib: '61.0 MiB' });
  expect(await limitOf(other)).toEqual({ mib: '122.0 MiB' });
});

test('the memory that one used is given back, whether its tables are dropped or it has spilt', async () => {
  for (const memoryMb of [512, 32]) {
    const db = await open({ memoryMb });
    await db.run('CREATE TABLE large AS SELECT range AS n, md5(range::VARCHAR) AS text FROM range(2000000)');
    const before = process.memoryUsage().rss;
    await db[Symbol.asyncDispose]();
    if (memoryMb === 512) expect(before - process.memoryUsage().rss).toBeGreaterThan(30 * MIB);
    await using next = await open();
    expect(await next.rows('SELECT * FROM duckdb_memory() WHERE memory_usage_bytes > 1000000')).toEqual([]);
  }
});

test('one that is closed while statements run waits for them', async () => {
  const db = await open();
  const counted = db.row('SELECT count(*) AS rows FROM range(30000000) WHERE range % 7 = 3');
  await db[Symbol.asyncDispose]();
  expect(await counted).toEqual({ rows: '4285714' });
});

test('a process ends well although databases wait to be used again', async () => {
  const module = fileURLToPath(new URL('../../../src/rows/duckdb/duckdb.ts', import.meta.url));
  const script = `const { openDuckDb } = await import(${JSON.stringify(module)});
    const open = () => openDuckDb({ memoryMb: 64, threads: 2, scratchDirectory: '/nonexistent' });
    const databases = await Promise.all([open(), open(), open()]);
    for (const db of databases) await db.run('CREATE TABLE t AS SELECT 1');
    for (const db of databases) await db[Symbol.asyncDispose]();
    console.log('done');`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  expect(stdout).toBe('done\n');
});
