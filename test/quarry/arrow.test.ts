import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { tableFromIPC } from '@uwdata/flechette';
import { expect, test } from 'vitest';
import { Quarry } from '../../src/index.ts';
import { openDuckDb } from '../../src/rows/duckdb/duckdb.ts';
import { readArrowBatches } from '../../src/rows/results/arrow-batches.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** A Parquet file of what SQL selects. */
async function parquetOf(select: string): Promise<string> {
  const path = join(await temporaryDirectory(), 'rows.parquet');
  await using db = await openDuckDb({ memoryMb: 512, threads: 2, scratchDirectory: path });
  await db.copy(`COPY (${select}) TO '${path}' (FORMAT parquet)`);
  return path;
}

test('the rows of a run come as batches of Arrow, typed as their columns are', async () => {
  const quarry = new Quarry({ directory: join(await temporaryDirectory(), 'store') });
  const run = await quarry.run({
    dataset: [{ review: 'Lovely.' }, { review: null }],
    model: 'us.amazon.nova-lite-v1:0',
    prompt: 'Good or bad? {review}',
    outputSchema: { mood: 'good | bad', score: 'number', topics: 'string[]', count: 'integer' },
  });
  await run.result;
  const tables = (await Array.fromAsync(quarry.resultBatches(run))).map((bytes) =>
    tableFromIPC(bytes, { useProxy: true }),
  );
  expect(tables).toHaveLength(1);
  const rows = await Array.fromAsync(quarry.results(run));
  const names = ['review', 'mood', 'score', 'topics', 'error_code', 'attempts'] as const;
  for (const [at, row] of rows.entries()) {
    const batch = tables[0]?.at(at) as Record<string, unknown>;
    for (const name of names) {
      const value = batch[name];
      expect(
        value !== null && typeof value === 'object' ? Array.from(value as Iterable<unknown>) : value,
      ).toEqual(row[name]);
    }
  }
});

test('embeddings come as lists of floats', async () => {
  const quarry = new Quarry({ directory: join(await temporaryDirectory(), 'store') });
  const run = await quarry.run({ dataset: [{ input_text: 'a' }], model: 'amazon.titan-embed-text-v2:0' });
  await run.result;
  const [bytes = new Uint8Array()] = await Array.fromAsync(quarry.resultBatches(run));
  const [row] = await Array.fromAsync(quarry.results<{ embedding: number[] }>(run));
  const embedding = Array.from(tableFromIPC(bytes).getChild('embedding')?.at(0) as Iterable<number>);
  expect(embedding).toEqual(row?.embedding.map(Math.fround));
});

test('values of every type are what they were, or text where Arrow is written no such type here', async () => {
  const path =
    await parquetOf(`SELECT true AS b, 9223372036854775807::BIGINT AS i, 255::UTINYINT AS u, 1.5::FLOAT AS f,
    'NaN'::DOUBLE AS d, DATE '1969-12-31' AS day, TIMESTAMP '2026-01-02 03:04:05.678901' AS at,
    TIMESTAMPTZ '2026-01-02 03:04:05.678901+00' AS utc, '\\xff\\x00'::BLOB AS bytes, 1.10::DECIMAL(9,2) AS price,
    [1, NULL, 3] AS list, {'a': [1]} AS object, '{é' AS t
    UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL`);
  const [bytes = new Uint8Array()] = await Array.fromAsync(readArrowBatches([path]));
  const table = tableFromIPC(bytes, { useBigInt: true, useDate: true, useBigIntTimestamp: true } as object);
  const row = table.at(0) as Record<string, unknown>;
  expect(row).toMatchObject({
    b: true,
    i: 9223372036854775807n,
    u: 255,
    f: 1.5,
    d: Number.NaN,
    price: '1.10',
    object: '{"a":[1]}',
    t: '{é',
  });
  expect((row.day as Date).toISOString()).toBe('1969-12-31T00:00:00.000Z');
  expect(Array.from(row.bytes as Uint8Array)).toEqual([255, 0]);
  expect(Array.from(row.list as Iterable<unknown>)).toEqual([1, null, 3]);
  for (const name of ['at', 'utc']) {
    expect(table.schema.fields.find((field) => field.name === name)?.type).toMatchObject({
      typeId: 10,
      unit: 2,
    });
    expect(row[name]).toBe(BigInt(Date.UTC(2026, 0, 2, 3, 4, 5)) * 1000n + 678_901n);
  }
  expect(Object.values(table.at(1) as object).every((value) => value === null)).toBe(true);
});

/** Bytes of buffers that are still in use: what is garbage is swept first. */
function heldBytes(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return process.memoryUsage().arrayBuffers;
}

test('200,000 rows stream in order, a batch in memory at a time', async () => {
  const path = await parquetOf("SELECT range::INTEGER AS n, repeat('x', 500) AS text FROM range(200000)");
  let [rows, most] = [0, 0];
  const before = heldBytes();
  let held = 0;
  for await (const bytes of readArrowBatches([path])) {
    const table = tableFromIPC(bytes);
    expect(table.getChild('n')?.at(0)).toBe(rows);
    rows += table.numRows;
    most = Math.max(most, bytes.length);
    if (rows === 150_000) held = heldBytes() - before;
  }
  expect(rows).toBe(200_000);
  // All rows together have over 100 MB.
  expect(most).toBeLessThan(10_000_000);
  // Several batches, as what reads ahead has its own: never all of them.
  expect(held).toBeLessThan(85_000_000);
});
