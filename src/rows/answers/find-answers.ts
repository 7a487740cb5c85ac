import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidDatasetError, ObjectNotFoundError } from '../../core/errors.ts';
import { RECORD_ID_DIGITS } from '../../core/record-id.ts';
import type { S3Uri } from '../../core/s3-uri.ts';
import { typeAnswers } from '../collect/type-answers.ts';
import { createTypedReader } from '../collect/typed-answer.ts';
import type { DuckDb } from '../duckdb/duckdb.ts';
import { copyToParquet, parquetRangeSql, readParquetSql, WORKING_ROW_GROUPS } from '../duckdb/parquet.ts';
import { openResult, type RemoteResult, type ResultFile, readCountSql } from '../results/read-results.ts';
import type { ResultColumns } from '../results/result-columns.ts';
import { PROOF_SQL } from './answer-file.ts';
import { type LaidAnswers, laidKeys } from './laid-answers.ts';

/** A file of kept answers. */
export interface AnswerObject {
  uri: S3Uri;
  file: ResultFile;
}

/** Where answers may be found, and what they are to be. */
export interface FindRequest {
  /** All files of answers there are now. */
  list: () => Promise<AnswerObject[]>;
  columns: ResultColumns;
  scratchDirectory: string;
}

/** What was found. */
export interface FoundAnswers {
  /** Undefined where no row has an answer. */
  laid: LaidAnswers | undefined;
  /** Answers that were looked through. */
  answers: number;
  /** Rows without an answer whose record id a kept answer has: they were asked otherwise then. */
  changed: number;
  /** Files that could not be read, each with why, and how many answers were not as they were written. */
  unreadable: { uri: S3Uri; why: string }[];
  damaged: number;
}

/** Rows that are fetched together of a file that is not here. */
const BLOCK_ROWS = 10_240;
/** Files that one statement reads. */
const FILES_AT_ONCE = 32;
/** Bytes of a row's answer, roughly. */
const ANSWER_BYTES = 1_000;

interface OpenFile {
  number: number;
  uri: S3Uri;
  opened: RemoteResult;
  rows: number;
}

/** Looks from the start, where a file went away under the last one. */
const MOST_LOOKS = 5;

/**
 * Finds the answers of the rows in the table `requests` (`digest`, `id`; the row's number is its `rowid`), and lays them. A file
 * that cannot be read counts as one that is not there. A file that goes away meanwhile has been compacted: its answers are in
 * another one, which is there by then.
 */
export async function findAnswers(db: DuckDb, request: FindRequest): Promise<FoundAnswers> {
  for (let look = 1; ; look += 1) {
    await using search = new AnswerSearch(db, request);
    await search.readKeys();
    const { damaged } = await search.readAnswers();
    if (look < MOST_LOOKS && (await search.hasLostFiles())) continue;
    const laid = await layFound(db, request);
    const changed = await search.countChanged();
    const { answers, unreadable } = search;
    return { laid, answers, changed, unreadable, damaged };
  }
}

/** One look through all files. */
class AnswerSearch implements AsyncDisposable {
  readonly #db: DuckDb;
  readonly #request: FindRequest;
  readonly #files: OpenFile[] = [];
  readonly unreadable: FoundAnswers['unreadable'] = [];
  answers = 0;

  constructor(db: DuckDb, request: FindRequest) {
    this.#db = db;
    this.#request = request;
  }

  /** Finds out which file has the answer of which request: the first that was given, wherever there are several. */
  async readKeys(): Promise<void> {
    const db = this.#db;
    await db.run(
      'CREATE OR REPLACE TABLE wanted AS SELECT DISTINCT digest AS key FROM requests WHERE digest IS NOT NULL',
    );
    await db.run(
      'CREATE OR REPLACE TABLE hits (key BLOB, file INTEGER, place BIGINT, answered_at VARCHAR, untold BOOLEAN)',
    );
    const seen = new Set<S3Uri>();
    for (;;) {
      const fresh = (await this.#request.list()).filter(({ uri }) => !seen.has(uri));
      if (fresh.length === 0) break;
      for (const { uri } of fresh) seen.add(uri);
      for (let at = 0; at < fresh.length; at += FILES_AT_ONCE) {
        await this.#readKeysOf(fresh.slice(at, at + FILES_AT_ONCE));
      }
    }
    await db.run(
      `CREATE OR REPLACE TABLE chosen AS SELECT key, spot.file AS file, spot.place AS place FROM (
        SELECT key, arg_min({file: file, place: place}, (untold, answered_at, file, place)) AS spot FROM hits GROUP BY key
      )`,
    );
  }

  async #readKeysOf(objects: readonly AnswerObject[]): Promise<void> {
    const files = (await Promise.all(objects.map((object) => this.#open(object)))).filter(
      (file) => file !== undefined,
    );
    try {
      await this.#insertHits(files);
    } catch (error) {
      if (!isOfFile(error)) throw error;
      for (const file of files) {
        await this.#reading(file, () => this.#insertHits([file]));
      }
    }
  }

  /** Opens a file; undefined where it cannot be read. */
  async #open({ uri, file }: AnswerObject): Promise<OpenFile | undefined> {
    let opened: RemoteResult | undefined;
    try {
      opened = await openResult(file);
      const { rows } = await this.#db.row(readCountSql([opened.path]));
      await opened.fetchRows(KEY_COLUMNS, { firstRow: 0, rows: Number(rows) });
      const found: OpenFile = { number: this.#files.length, uri, opened, rows: Number(rows) };
      this.#files.push(found);
      return found;
    } catch (error) {
      await opened?.[Symbol.asyncDispose]();
      this.#giveUp(uri, error);
      return undefined;
    }
  }

  async #insertHits(files: readonly OpenFile[]): Promise<void> {
    if (files.length === 0) return;
    const selects = files.map(
      ({ number, opened }) =>
        `SELECT key, ${number} AS file, file_row_number AS place, answered_at, input_tokens IS NULL AS untold FROM ${readParquetSql(opened.path)}`,
    );
    await this.#db.run(
      `INSERT INTO hits SELECT * FROM (${selects.join(' UNION ALL ')}) SEMI JOIN wanted USING (key)`,
    );
    this.answers += files.reduce((sum, { rows }) => sum + rows, 0);
  }

  /** Reads the chosen answers into the table `found`, but for those that are not as they were written. */
  async readAnswers(): Promise<{ damaged: number }> {
    const db = this.#db;
    const { columns } = this.#request;
    const types = columns.answers.map(({ key, type }) => `${key} ${type}`).join(', ');
    await db.run(
      `CREATE OR REPLACE TABLE found (key BLOB, reused_from VARCHAR, ${types}, error_code VARCHAR, error_message VARCHAR)`,
    );
    const { chosen } = await db.row('SELECT CAST(count(*) AS DOUBLE) AS chosen FROM chosen');
    const blocks = await db.rows(
      `SELECT DISTINCT CAST(file AS DOUBLE) AS file, CAST(place // ${BLOCK_ROWS} AS DOUBLE) AS block FROM chosen ORDER BY file, block`,
    );
    const byFile = Map.groupBy(blocks, ({ file }) => Number(file));
    let lost = 0;
    for (const [number, ofFile] of byFile) {
      const file = this.#files[number];
      if (file === undefined) throw new Error(`There is no file ${number}.`);
      const isRead = await this.#reading(file, async () => {
        for (const window of windowsOf(ofFile.map(({ block }) => Number(block)))) {
          await file.opened.fetchRows(FILE_COLUMNS, window);
          await db.run(this.#foundSql(file, window));
        }
      });
      if (!isRead) {
        const { rows } = await db.row(
          `SELECT CAST(count(*) AS DOUBLE) AS "rows" FROM chosen WHERE file = ${number}`,
        );
        lost += Number(rows);
      }
    }
    const { found } = await db.row('SELECT CAST(count(*) AS DOUBLE) AS found FROM found');
    return { damaged: Math.max(0, Number(chosen) - Number(found) - lost) };
  }

  #foundSql({ number, opened }: OpenFile, window: { firstRow: number; rows: number }): string {
    const { columns } = this.#request;
    // Of tokens that were paid for then, not all are kept: they are none of this run's.
    const values = columns.answers.map(
      ({ key, type }) => `CAST(${FILE_COLUMNS.includes(key) ? key : 'NULL'} AS ${type})`,
    );
    const kept = `SELECT *, file_row_number AS place FROM ${parquetRangeSql({ path: opened.path, ...window })}`;
    const chosen = `SELECT key AS chosen_key, place AS chosen_place FROM chosen WHERE file = ${number}`;
    return `INSERT INTO found SELECT key, run_id, ${values.join(', ')}, NULL, NULL
      FROM (${kept}) JOIN (${chosen}) ON chosen_place = place
      WHERE chosen_key = key AND answer IS NOT NULL AND proof = ${PROOF_SQL}`;
  }

  /** How many rows that are not laid have the record id of a kept answer. */
  async countChanged(): Promise<number> {
    const db = this.#db;
    await db.run(`CREATE OR REPLACE TABLE strangers AS SELECT coalesce(id, format('r{:0${RECORD_ID_DIGITS}d}', rowid)) AS id FROM requests
      WHERE digest IS NOT NULL AND digest NOT IN (SELECT key FROM found WHERE error_code IS NULL)`);
    const { strangers } = await db.row('SELECT CAST(count(*) AS DOUBLE) AS strangers FROM strangers');
    if (Number(strangers) === 0 || this.#files.length === 0) return 0;
    await db.run('CREATE OR REPLACE TABLE known (id VARCHAR)');
    for (const file of this.#files) {
      await this.#reading(file, async () => {
        await file.opened.fetchRows(['record_id'], { firstRow: 0, rows: file.rows });
        await db.run(
          `INSERT INTO known SELECT record_id FROM ${readParquetSql(file.opened.path)} WHERE record_id IN (SELECT id FROM strangers)`,
        );
      });
    }
    const { changed } = await db.row(
      'SELECT CAST(count(*) AS DOUBLE) AS changed FROM strangers WHERE id IN (SELECT id FROM known)',
    );
    return Number(changed);
  }

  /** False where the file cannot be read any further. */
  async #reading({ uri }: OpenFile, work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      this.#giveUp(uri, error);
      return false;
    }
  }

  /** True where a file that could not be read is not there any more. */
  async hasLostFiles(): Promise<boolean> {
    if (this.unreadable.length === 0) return false;
    const present = new Set((await this.#request.list()).map(({ uri }) => uri));
    return this.unreadable.some(({ uri }) => !present.has(uri));
  }

  #giveUp(uri: S3Uri, error: unknown): void {
    if (!isOfFile(error)) throw error;
    if (this.unreadable.some((other) => other.uri === uri)) return;
    this.unreadable.push({ uri, why: error instanceof Error ? error.message : String(error) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#files.map(({ opened }) => opened[Symbol.asyncDispose]()));
  }
}

const KEY_COLUMNS = ['key', 'answered_at', 'input_tokens'];
const FILE_COLUMNS = [
  ...['key', 'record_id', 'answer', 'stop_reason', 'input_tokens', 'output_tokens'],
  ...['run_id', 'answered_at', 'proof'],
];

/** What DuckDB says of a file that is not what it should be, or not there. */
const FILE_ERRORS =
  /^(?:Invalid Input|Invalid|Conversion|IO|Binder|Serialization|Not implemented|INTERNAL) Error/;

/** True of an error that is the file's own: all others break the search, lest answers that are there be paid for again. */
export function isOfFile(error: unknown): boolean {
  if (error instanceof InvalidDatasetError || error instanceof ObjectNotFoundError) return true;
  return error instanceof Error && FILE_ERRORS.test(error.message);
}

/** Neighbouring blocks together. */
function windowsOf(blocks: readonly number[]): { firstRow: number; rows: number }[] {
  const windows: { firstRow: number; rows: number }[] = [];
  for (const block of blocks) {
    const firstRow = block * BLOCK_ROWS;
    const last = windows.at(-1);
    if (last !== undefined && last.firstRow + last.rows === firstRow) last.rows += BLOCK_ROWS;
    else windows.push({ firstRow, rows: BLOCK_ROWS });
  }
  return windows;
}

/** Writes the answers by their rows; those that are not of the run's schema are none, and go from `found`. */
async function layFound(
  db: DuckDb,
  { columns, scratchDirectory }: FindRequest,
): Promise<LaidAnswers | undefined> {
  const foundPath = join(scratchDirectory, 'found.parquet');
  const path = join(scratchDirectory, 'laid.parquet');
  const copy = (sql: string, to: string) =>
    copyToParquet(db, {
      sql,
      path: to,
      compression: 'snappy',
      bytesPerRow: ANSWER_BYTES,
      rowGroups: WORKING_ROW_GROUPS,
    });
  try {
    if ((await copy('SELECT * FROM found', foundPath)) === 0) return undefined;
    if (columns.schema !== undefined) {
      const readTyped = await createTypedReader(columns.schema);
      await typeAnswers(db, {
        path: foundPath,
        columns,
        readTyped,
        bytesPerRow: ANSWER_BYTES,
        scratchDirectory,
      });
      await db.run(
        `DELETE FROM found WHERE key IN (SELECT key FROM ${readParquetSql(foundPath)} WHERE error_code IS NOT NULL)`,
      );
    }
    const rows = await copy(
      `SELECT requests.rowid AS "row", found.key AS key, found.reused_from, ${laidKeys(columns)
        .map((key) => `found.${key}`)
        .join(', ')}
        FROM requests JOIN (SELECT * FROM ${readParquetSql(foundPath)} WHERE error_code IS NULL) AS found ON requests.digest = found.key ORDER BY "row"`,
      path,
    );
    return rows === 0 ? undefined : { path, rows };
  } finally {
    await rm(foundPath, { force: true });
  }
}
