import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { LedgerMismatchError } from '../../core/errors.ts';
import type { RetryPolicy } from '../../core/jobs/retry-policy.ts';
import { linesOf } from '../../core/text/lines.ts';
import { openDuckDb, sqlText } from '../duckdb/duckdb.ts';
import { copyToParquet } from '../duckdb/parquet.ts';
import { ATTEMPTS_COLUMN, ERROR_CODE_COLUMN, RECORD_ID_COLUMN } from '../prepare/record-sql.ts';
import { type OwedRecord, readOwed } from './owed-records.ts';

/** Memory that DuckDB may use for one repair part. */
export const REPACK_MEMORY_MB = 512;

/** Owed records of an earlier part. */
export interface RepackSource {
  partId: string;
  /** What became of its rows. */
  resultPath: string;
  /** Its input file, to be read from the start. */
  readRecords: () => Promise<Readable>;
  /** Says which of its records are owed. */
  retry: RetryPolicy;
  owedFrom: number;
  owedCount: number;
}

/** What to repack, and where to. */
export interface RepackRequest {
  sources: readonly RepackSource[];
  recordsPath: string;
  rowsPath: string;
  scratchDirectory: string;
}

const NEWLINE = Buffer.from('\n');
/** Bytes of a record id and its attempts, roughly. */
const ROW_BYTES = 32;
/** Ids in one INSERT. */
const INSERT_ROWS = 1_000;
const RECORD_ID = /^\{"recordId":("(?:[^"\\]|\\.)*")/;

/**
 * Writes the owed records of earlier parts, byte for byte as they were sent before, as one input file; and beside it
 * the rows that they are, with how often each was sent. Throws LedgerMismatchError where a record is not found.
 */
export async function repackPart(request: RepackRequest): Promise<{ records: number; bytes: number }> {
  const { sources, recordsPath, rowsPath, scratchDirectory } = request;
  await using db = await openDuckDb({ memoryMb: REPACK_MEMORY_MB, threads: 1, scratchDirectory });
  await db.run(
    `CREATE TABLE owed (${RECORD_ID_COLUMN} VARCHAR, ${ERROR_CODE_COLUMN} VARCHAR, ${ATTEMPTS_COLUMN} INTEGER)`,
  );
  const output = openRecordsFile(recordsPath);
  let records = 0;
  try {
    for (const source of sources) {
      const owed = await readOwed(db, source.resultPath, {
        policy: source.retry,
        from: source.owedFrom,
        count: source.owedCount,
      });
      const copied = await copyLines(await source.readRecords(), owed, output);
      if (owed.length !== source.owedCount || copied !== source.owedCount) {
        throw new LedgerMismatchError(
          `Part ${source.partId} owes ${source.owedCount} records from ${source.owedFrom}, but ${owed.length} are in its result and ${copied} in its input file. Were files of the run changed?`,
        );
      }
      for (let start = 0; start < owed.length; start += INSERT_ROWS) {
        const values = owed
          .slice(start, start + INSERT_ROWS)
          .map(({ recordId, attempts }) => `(${sqlText(recordId)}, NULL, ${attempts})`);
        await db.run(`INSERT INTO owed VALUES ${values.join(', ')}`);
      }
      records += copied;
    }
    await output.end();
  } finally {
    output.discard();
  }
  await copyToParquet(db, {
    sql: 'SELECT * FROM owed',
    path: rowsPath,
    compression: 'snappy',
    bytesPerRow: ROW_BYTES,
  });
  return { records, bytes: (await stat(recordsPath)).size };
}

/** Copies the lines of these records; how many there were. */
async function copyLines(input: Readable, owed: readonly OwedRecord[], output: RecordsFile): Promise<number> {
  const wanted = new Set(owed.map(({ recordId }) => recordId));
  let copied = 0;
  for await (const line of linesOf(input)) {
    if (wanted.size === 0) break;
    const id = RECORD_ID.exec(line.toString())?.[1];
    if (id === undefined || !wanted.delete(JSON.parse(id))) continue;
    copied += 1;
    await output.write(Buffer.concat([line, NEWLINE]));
  }
  return copied;
}

/** An input file while it is written; whatever the disk says against it rejects the next call. */
interface RecordsFile {
  write(line: Buffer): Promise<void>;
  end(): Promise<void>;
  /** Lets go of it, were it not at its end. */
  discard(): void;
}

function openRecordsFile(path: string): RecordsFile {
  const output = createWriteStream(path);
  let failure: Error | undefined;
  // Without a listener, an error between two calls would end the process.
  output.on('error', (error) => {
    failure = error;
  });
  return {
    write: async (line) => {
      if (failure !== undefined) throw failure;
      if (!output.write(line)) await once(output, 'drain');
    },
    end: async () => {
      if (failure !== undefined) throw failure;
      output.end();
      await finished(output);
    },
    discard: () => void output.destroy(),
  };
}
