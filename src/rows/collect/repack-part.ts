import { stat } from 'node:fs/promises';
import { LedgerMismatchError } from '../../core/errors.ts';
import type { RetryPolicy } from '../../core/jobs/retry-policy.ts';
import type { JsonObject } from '../../core/text/json-value.ts';
import { linesOf } from '../../core/text/lines.ts';
import { inTurn } from '../bytes/in-turn.ts';
import type { RecordLengths } from '../bytes/record-lengths.ts';
import { openRecordsFile, type RecordsFile } from '../bytes/records-file.ts';
import { type DuckDb, openDuckDb, sqlText } from '../duckdb/duckdb.ts';
import { copyToParquet } from '../duckdb/parquet.ts';
import { ATTEMPTS_COLUMN, ERROR_CODE_COLUMN, RECORD_ID_COLUMN } from '../prepare/record-sql.ts';
import type { ResultFile } from '../results/read-results.ts';
import { type BadAnswer, readBadAnswers } from './bad-answers.ts';
import { type OwedRecord, readOwed } from './owed-records.ts';
import { type PlacedRecord, type RecordRange, rangesOf } from './record-ranges.ts';

/** Memory that DuckDB may use for one repair part. */
export const REPACK_MEMORY_MB = 512;

/** Owed records of an earlier part. */
export interface RepackSource {
  partId: string;
  /** What became of its rows. */
  result: ResultFile;
  /** Its rows as they were prepared: they tell which of them are records. */
  rows: ResultFile;
  /** How long the records in its input file are. */
  readLengths: () => Promise<RecordLengths>;
  /** Bytes of its input file, from one to before another. */
  readRecords: (range: { start: number; end: number }) => Promise<Buffer>;
  /** Says which of its records are owed. */
  retry: RetryPolicy;
  owedFrom: number;
  owedCount: number;
}

/** How records are changed before they are sent again. */
export interface Rewriting {
  /** The `modelInput` of this time, of that of the last; with what was wrong with the answer, where it has one. */
  rewrite(modelInput: JsonObject, wrong: BadAnswer | undefined): JsonObject;
  /** Where results have their answers; undefined where models are not shown their bad ones. */
  answerColumn: string | undefined;
}

/** What to repack, and where to. */
export interface RepackRequest {
  sources: readonly RepackSource[];
  /** Undefined where records are sent again as they were, byte for byte. */
  rewriting?: Rewriting | undefined;
  recordsPath: string;
  rowsPath: string;
  scratchDirectory: string;
}

/** Bytes of a record id and its attempts, roughly. */
const ROW_BYTES = 32;
/** Ids in one INSERT. */
const INSERT_ROWS = 1_000;
const RECORD_ID = /^\{"recordId":("(?:[^"\\]|\\.)*")/;
/** Sources that are looked through at once, and requests for their records. */
const CONCURRENT_READS = 8;

/**
 * Writes the owed records of earlier parts as one input file, byte for byte as they were sent before, unless they are
 * rewritten; and beside it the rows that they are, with how often each was sent. Of each source only what it takes is read, and nothing of it stays:
 * a thousand sources take as much room as one. Throws LedgerMismatchError where a record is not found.
 */
export async function repackPart(request: RepackRequest): Promise<{ records: number; bytes: number }> {
  const { sources, recordsPath, rowsPath, scratchDirectory, rewriting } = request;
  await using db = await openDuckDb({ memoryMb: REPACK_MEMORY_MB, threads: 1, scratchDirectory });
  await db.run(
    `CREATE TABLE owed (${RECORD_ID_COLUMN} VARCHAR, ${ERROR_CODE_COLUMN} VARCHAR, ${ATTEMPTS_COLUMN} INTEGER)`,
  );
  const output = openRecordsFile(recordsPath);
  let records = 0;
  try {
    for await (const [source, owed] of inTurn(
      sources,
      (next) => readOwed(db, next, next),
      CONCURRENT_READS,
    )) {
      await using change = await openChange(db, source, rewriting);
      const copied = await copyRecords(source, owed, { output, change });
      if (owed.length !== source.owedCount || copied !== source.owedCount) {
        throw new LedgerMismatchError(
          `Part ${source.partId} owes ${source.owedCount} records from ${source.owedFrom}, but ${owed.length} are in its result and ${copied} in its input file. Were files of the run changed?`,
        );
      }
      await insertOwed(db, owed);
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

async function insertOwed(db: DuckDb, owed: readonly OwedRecord[]): Promise<void> {
  for (let start = 0; start < owed.length; start += INSERT_ROWS) {
    const values = owed
      .slice(start, start + INSERT_ROWS)
      .map(({ recordId, attempts }) => `(${sqlText(recordId)}, NULL, ${attempts})`);
    await db.run(`INSERT INTO owed VALUES ${values.join(', ')}`);
  }
}

/** Changes the lines of one source. */
interface LineChange extends AsyncDisposable {
  /** The lines as they are sent this time. */
  linesOf(lines: readonly RecordLine[]): Promise<Buffer[]>;
}

async function openChange(
  db: DuckDb,
  { result }: RepackSource,
  rewriting: Rewriting | undefined,
): Promise<LineChange> {
  if (rewriting === undefined) {
    return {
      linesOf: async (lines) => lines.map(({ line }) => line),
      [Symbol.asyncDispose]: async () => {},
    };
  }
  const { rewrite, answerColumn } = rewriting;
  const bad =
    answerColumn === undefined
      ? undefined
      : await readBadAnswers(db, { result, answerColumn, table: 'bad_answers' });
  return {
    linesOf: async (lines) => {
      const wrong = await bad?.of(lines.map(({ recordId }) => recordId));
      return lines.map(({ recordId, line }) =>
        rewriteLine(line, (modelInput) => rewrite(modelInput, wrong?.get(recordId))),
      );
    },
    [Symbol.asyncDispose]: async () => bad?.drop(),
  };
}

/** Writes records with another `modelInput` each; how many there were. */
export async function rewriteRecords(
  records: AsyncIterable<Buffer>,
  path: string,
  rewrite: (modelInput: JsonObject) => JsonObject,
): Promise<number> {
  const output = openRecordsFile(path);
  let count = 0;
  try {
    for await (const line of linesOf(records)) {
      await output.write(rewriteLine(line, rewrite));
      count += 1;
    }
    await output.end();
  } finally {
    output.discard();
  }
  return count;
}

/** A line of records with another `modelInput`. */
function rewriteLine(line: Buffer | string, rewrite: (modelInput: JsonObject) => JsonObject): Buffer {
  const record = JSON.parse(line.toString()) as { recordId: string; modelInput: JsonObject };
  return Buffer.from(`${JSON.stringify({ ...record, modelInput: rewrite(record.modelInput) })}\n`);
}

/** Copies these records; how many there were. */
async function copyRecords(
  source: RepackSource,
  owed: readonly OwedRecord[],
  { output, change }: { output: RecordsFile; change: LineChange },
): Promise<number> {
  const lengths = await source.readLengths();
  const placed = owed.flatMap(({ recordId, record }): PlacedRecord[] => {
    const place = lengths.at(record);
    return place === undefined ? [] : [{ recordId, ...place }];
  });
  let copied = 0;
  for await (const [range, bytes] of inTurn(rangesOf(placed), source.readRecords, CONCURRENT_READS)) {
    for (const line of await change.linesOf(linesOfRange(range, bytes))) {
      copied += 1;
      await output.write(line);
    }
  }
  return copied;
}

interface RecordLine {
  recordId: string;
  line: Buffer;
}

/** The lines of the records that are where they should be. */
function linesOfRange({ start: from, records }: RecordRange, bytes: Buffer): RecordLine[] {
  return records.flatMap(({ recordId, start, end }) => {
    const line = bytes.subarray(start - from, end - from);
    const id = RECORD_ID.exec(line.toString())?.[1];
    return id !== undefined && JSON.parse(id) === recordId && line.length === end - start
      ? [{ recordId, line }]
      : [];
  });
}
