import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { RecordLengths } from '../../../src/rows/bytes/record-lengths.ts';
import { type RepackSource, repackPart } from '../../../src/rows/collect/repack-part.ts';
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
  const rowsPath = join(directory, 'prepared.parquet');
  await db.run(
    `COPY (SELECT 'r' || range AS __quarry_record_id, CAST(NULL AS VARCHAR) AS __quarry_error_code FROM range(${records})) TO '${rowsPath}' (FORMAT PARQUET)`,
  );
  const input = Buffer.from(lines.join(''));
  const source: RepackSource = {
    partId: 'p00001',
    result: resultPath,
    rows: rowsPath,
    readLengths: () => RecordLengths.of(Readable.from([input])),
    readRecords: async ({ start, end }) => input.subarray(start, end),
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
