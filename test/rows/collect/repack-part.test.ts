import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { repackPart } from '../../../src/rows/collect/repack-part.ts';
import { openDuckDb } from '../../../src/rows/duckdb/duckdb.ts';
import { diskFaultOf } from '../../../src/store/disk-fault.ts';
import { createDirectory } from '../../support/rows.ts';

const retry = { maxAttempts: 3, retryTruncated: false, retryRefused: false };

/** A part that owes so many records, of which each has `bytes` bytes. */
async function writeSource(records: number, bytes: number) {
  const directory = await createDirectory();
  const resultPath = join(directory, 'result.parquet');
  const lines = Array.from(
    { length: records },
    (_, index) => `{"recordId":"r${index}","modelInput":{"text":"${'x'.repeat(bytes)}"}}\n`,
  );
  await using db = await openDuckDb({ memoryMb: 256, threads: 1, scratchDirectory: directory });
  await db.run(
    `COPY (SELECT 'r' || range AS record_id, '503' AS error_code, 'Later.' AS error_message, CAST(NULL AS VARCHAR) AS stop_reason, 1 AS attempts FROM range(${records})) TO '${resultPath}' (FORMAT PARQUET)`,
  );
  await writeFile(join(directory, 'records.jsonl'), lines.join(''));
  const source = {
    partId: 'p00001',
    resultPath,
    readRecords: async () => Readable.from(lines.map((line) => Buffer.from(line))),
    retry,
    owedFrom: 0,
    owedCount: records,
  };
  return { directory, source };
}

test.each([
  ['in the middle', 400, 10_000],
  ['at the end', 3, 10],
])('a disk that is full %s of the records rejects, and ends no process', async (_, records, bytes) => {
  const { directory, source } = await writeSource(records, bytes);
  const repacking = repackPart({
    sources: [source],
    recordsPath: '/dev/full',
    rowsPath: join(directory, 'rows.parquet'),
    scratchDirectory: directory,
  });
  const error = await repacking.catch((fault: unknown) => fault);
  expect(error).toMatchObject({ code: 'ENOSPC' });
  expect(diskFaultOf(error)).toMatchObject({ name: 'DiskFullError' });
});
