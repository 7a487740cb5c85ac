import { copyFile, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import type { S3Uri } from '../../../src/core/s3-uri.ts';
import { RecordLengths } from '../../../src/rows/bytes/record-lengths.ts';
import { mergePart } from '../../../src/rows/collect/merge-part.ts';
import { type RepackSource, repackPart } from '../../../src/rows/collect/repack-part.ts';
import { openDuckDb, sqlText } from '../../../src/rows/duckdb/duckdb.ts';
import { resultObject } from '../../../src/rows/results/result-objects.ts';
import { createDirectoryStore } from '../../../src/store/directory-store.ts';
import type { ObjectStore } from '../../../src/store/object-store.ts';
import { asRemote, bytesOf } from '../../support/remote-store.ts';
import { columnsOf, query } from '../../support/rows.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const PARTS = 300;
const ROWS = 2_000;
/** One record in so many is owed. */
const OWED_EACH = 500;
const TEXT = 'x'.repeat(400);
const retry = { maxAttempts: 3, retryTruncated: false, retryRefused: false };
const policy = { ...retry, forgiven: 'nothing' as const };

const partUri = (part: number, file: string): S3Uri => `s3://bucket/working/r/parts/${part}/${file}`;

/** A store afar that counts what is asked of it, and at every request the files that are here. */
function watched(inner: ObjectStore, scratchDirectory: string) {
  const remote = asRemote(inner);
  let [requests, mostHere] = [0, 0];
  const look = async () => {
    requests += 1;
    const here = await readdir(scratchDirectory).catch((): string[] => []);
    mostHere = Math.max(mostHere, here.filter((name) => name.startsWith('sparse-')).length);
  };
  const store: ObjectStore = {
    ...remote.store,
    head: async (uri) => {
      await look();
      return remote.store.head(uri);
    },
    read: async (uri) => {
      await look();
      return remote.store.read(uri);
    },
    readStream: async (uri, range) => {
      await look();
      return remote.store.readStream(uri, range);
    },
  };
  return {
    store,
    ranges: remote.ranges,
    downloads: remote.downloads,
    counts: () => ({ requests, mostHere }),
  };
}

/** So many parts, each of the same records, of which few are owed. */
async function putParts(parts: number) {
  const directory = await temporaryDirectory();
  const inner = createDirectoryStore(join(directory, 'store'));
  const scratchDirectory = join(directory, 'scratch');
  await using db = await openDuckDb({ memoryMb: 512, threads: 2, scratchDirectory: directory });
  const [result, rows] = [join(directory, 'result.parquet'), join(directory, 'rows.parquet')];
  // Every third row has no prompt, so that rows and records are numbered otherwise.
  const isSent = 'i % 3 <> 0';
  const isOwed = `${isSent} AND i % ${OWED_EACH} = 1`;
  await db.run(
    `COPY (SELECT 'r' || i AS record_id, repeat(md5(i::VARCHAR), 20) AS response, CASE WHEN NOT ${isSent} THEN 'NullPromptValue' WHEN ${isOwed} THEN '503' END AS error_code,
      CAST(NULL AS VARCHAR) AS error_message, 'end' AS stop_reason, 1 AS input_tokens, 2 AS output_tokens, 1 AS attempts FROM range(${ROWS}) r(i)) TO ${sqlText(result)} (FORMAT PARQUET)`,
  );
  await db.run(
    `COPY (SELECT repeat(md5(i::VARCHAR), 20) AS text, 'r' || i AS __quarry_record_id, CASE WHEN NOT ${isSent} THEN 'NullPromptValue' END AS __quarry_error_code FROM range(${ROWS}) r(i)) TO ${sqlText(rows)} (FORMAT PARQUET)`,
  );
  const sent = Array.from({ length: ROWS }, (_, row) => row).filter((row) => row % 3 !== 0);
  const lines = sent.map((row) => `{"recordId":"r${row}","modelInput":{"text":"${TEXT} é ${row}"}}\n`);
  const lengths = (await RecordLengths.of(toChunks(lines))).toBytes();
  for (let part = 0; part < parts; part += 1) {
    for (const [path, file] of [
      [result, 'result.parquet'],
      [rows, 'rows.parquet'],
    ] as const) {
      const copy = join(directory, 'copy.parquet');
      await copyFile(path, copy);
      await inner.putFile(copy, partUri(part, file));
    }
    await inner.write(partUri(part, 'records.jsonl'), lines.join(''));
    await inner.write(partUri(part, 'records.lengths'), lengths);
  }
  const owed = sent.filter((row) => row % OWED_EACH === 1);
  return { directory, inner, scratchDirectory, lines, sent, owed, result };
}

async function* toChunks(lines: readonly string[]): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(lines.join(''));
  // Cut anywhere, also within a character.
  for (let start = 0; start < bytes.length; start += 1_001) yield bytes.subarray(start, start + 1_001);
}

function sourceOf(
  part: number,
  owedCount: number,
  { store, scratchDirectory }: { store: ObjectStore; scratchDirectory: string },
): RepackSource {
  const open = (file: string) => resultObject(partUri(part, file), { store, scratchDirectory });
  return {
    partId: `p${part}`,
    result: open('result.parquet'),
    rows: open('rows.parquet'),
    readLengths: async () => RecordLengths.fromBytes(await store.read(partUri(part, 'records.lengths'))),
    readRecords: async ({ start, end }) =>
      buffer(await store.readStream(partUri(part, 'records.jsonl'), { start, end: end - 1 })),
    retry: policy,
    owedFrom: 0,
    owedCount,
  };
}

test('a repair part of 300 sources costs 300 times one: owed records are read by their ranges, and little is here at once', async () => {
  const world = await putParts(PARTS);
  const { scratchDirectory, directory, owed } = world;
  const repack = async (parts: number) => {
    const remote = watched(world.inner, scratchDirectory);
    const recordsPath = join(directory, `records-${parts}.jsonl`);
    const sources = Array.from({ length: parts }, (_, part) =>
      sourceOf(part, owed.length, { store: remote.store, scratchDirectory }),
    );
    const rowsPath = join(directory, `rows-${parts}.parquet`);
    const repacked = await repackPart({ sources, recordsPath, rowsPath, scratchDirectory });
    return { ...remote, ...remote.counts(), repacked, recordsPath, rowsPath };
  };
  const [one, all] = [await repack(1), await repack(PARTS)];
  const expected = world.lines.filter((_, record) => owed.includes(world.sent[record] ?? -1)).join('');
  expect(await readFile(one.recordsPath, 'utf8')).toBe(expected);
  expect(await readFile(all.recordsPath, 'utf8')).toBe(expected.repeat(PARTS));
  expect(all.repacked.records).toBe(PARTS * owed.length);
  expect(
    await query(`SELECT count(*)::INTEGER AS n, min(__quarry_attempts) AS least FROM '${all.rowsPath}'`),
  ).toEqual([{ n: PARTS * owed.length, least: 1 }]);
  // No file is ever here whole, and nothing of a source stays once its turn is over.
  expect([all.downloads, await readdir(scratchDirectory)]).toEqual([[], []]);
  expect(all.requests).toBe(PARTS * one.requests);
  expect(bytesOf(all.ranges)).toBe(PARTS * bytesOf(one.ranges));
  expect(all.mostHere).toBeLessThanOrEqual(2 * 8);
}, 120_000);

test('a record that is not where its lengths say it is, is not sent', async () => {
  const { inner, scratchDirectory, directory, lines, owed } = await putParts(1);
  await inner.write(partUri(0, 'records.jsonl'), [lines[1], lines[0], ...lines.slice(2)].join(''));
  await expect(
    repackPart({
      sources: [sourceOf(0, owed.length, { store: inner, scratchDirectory })],
      recordsPath: join(directory, 'records.jsonl'),
      rowsPath: join(directory, 'repacked.parquet'),
      scratchDirectory,
    }),
  ).rejects.toThrow(
    `Part p0 owes ${owed.length} records from 0, but ${owed.length} are in its result and ${owed.length - 1} in its input file. Were files of the run changed?`,
  );
});

test('rows whose answers are in 300 other parts take of each only the row groups with these, one after the other', async () => {
  const world = await putParts(PARTS);
  const { scratchDirectory, directory } = world;
  await using db = await openDuckDb({ memoryMb: 512, threads: 2, scratchDirectory: directory });
  const resultPath = join(directory, 'asking.parquet');
  // Row 1 of every part was answered there; here it is asked for once for each.
  await db.run(
    `COPY (SELECT 'q' || i AS record_id, NULL::VARCHAR AS response, NULL::VARCHAR AS error_code, NULL::VARCHAR AS error_message, NULL::VARCHAR AS stop_reason,
      NULL::INTEGER AS input_tokens, NULL::INTEGER AS output_tokens, 0 AS attempts, 'r2' AS __quarry_answered_by FROM range(${PARTS}) r(i)) TO ${sqlText(resultPath)} (FORMAT PARQUET)`,
  );
  const merge = async (parts: number) => {
    const remote = watched(world.inner, scratchDirectory);
    const mergedPath = join(directory, 'merged.parquet');
    const ledger = await mergePart({
      resultPath,
      repairs: [],
      elsewhere: Array.from({ length: parts }, (_, part) => ({
        file: resultObject(partUri(part, 'result.parquet'), { store: remote.store, scratchDirectory }),
        windows: [{ firstRow: 0, rows: 10 }],
      })),
      columns: columnsOf(),
      mergedPath,
      scratchDirectory,
    });
    return { ...remote, ...remote.counts(), ledger, mergedPath };
  };
  const [one, all] = [await merge(1), await merge(PARTS)];
  expect(all.ledger.rows).toEqual({ total: PARTS, succeeded: PARTS, failed: 0, not_sent: 0 });
  expect(
    await query(`SELECT DISTINCT response = repeat(md5('2'), 20) AS same FROM '${all.mergedPath}'`),
  ).toEqual([{ same: true }]);
  expect([all.downloads, await readdir(scratchDirectory)]).toEqual([[], []]);
  expect(all.requests).toBe(PARTS * one.requests);
  expect(bytesOf(all.ranges)).toBe(PARTS * bytesOf(one.ranges));
  expect(all.mostHere).toBeLessThanOrEqual(4);
}, 120_000);
