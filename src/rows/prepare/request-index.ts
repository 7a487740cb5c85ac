import { join } from 'node:path';
import { columnGiven } from '../../core/plan/names-apart.ts';
import type { Dataset } from '../../core/plan/part.ts';
import { RECORD_ID_DIGITS } from '../../core/record-id.ts';
import type { RecordFrame } from '../../models/record-frame.ts';
import { type LaidAnswers, laidRowsSql } from '../answers/laid-answers.ts';
import { columnText } from '../duckdb/column-text.ts';
import { type DuckDb, openDuckDb, sqlPath } from '../duckdb/duckdb.ts';
import { copyToParquet } from '../duckdb/parquet.ts';
import { readingRows } from '../sources/damaged-source.ts';
import { firstRows } from '../sources/dataset-rows.ts';
import type { LocalDatasetFile } from '../sources/describe-dataset.ts';
import { openRelations } from '../sources/source-relation.ts';
import { type Asked, columnsRead, REQUEST_HASH_COLUMN, requestHashSql } from './record-sql.ts';

/** Memory that DuckDB may use; what is more goes to the scratch directory. */
export const REQUEST_INDEX_MEMORY_MB = 1024;

/** Which rows of a dataset ask the same. */
export interface RequestIndexRequest {
  files: readonly LocalDatasetFile[];
  dataset: Dataset;
  frame: RecordFrame;
  asked: Asked;
  recordIdColumn: string | undefined;
  /** The first N rows; the others are passed over. */
  rows: number;
  /** Lays answers that are there already: the database has the table `requests` of each row's `digest` and `id`. */
  lay?: ((db: DuckDb) => Promise<LaidAnswers | undefined>) | undefined;
  scratchDirectory: string;
}

/**
 * The rows that are not sent: those whose answer is laid, and the duplicates, whose request an earlier row sends as well; and the
 * numbers of the other rows' records.
 */
export interface RequestIndex extends AsyncDisposable {
  unsent: number;
  /** Local file of the answers that are laid. */
  laidPath: string | undefined;
  /** How many rows before this one have an answer that is laid. */
  laidBefore(row: number): Promise<number>;
  /** For each row number: how many rows before it are sent. */
  recordsBefore(rows: readonly number[]): Promise<number[]>;
  /** For each number of a record: the number of its row, or of rows where there are no more records. */
  rowsOf(records: readonly number[]): Promise<number[]>;
  /** Writes the duplicates before a row: `row`, `canonical_row`, `canonical_id`. */
  save(path: string, beforeRow: number): Promise<void>;
}

/** A row's id, beside its columns, of which one may be `id`. */
const ID_COLUMN = '__quarry_id';
/** Bytes of a duplicate, roughly. */
const DUPLICATE_BYTES = 32;

/** Finds the rows that need not be sent, by the content hash of their requests. A row without a prompt is nobody's duplicate. */
export async function openRequestIndex(request: RequestIndexRequest): Promise<RequestIndex> {
  const { scratchDirectory } = request;
  const db = await openDuckDb({ memoryMb: REQUEST_INDEX_MEMORY_MB, threads: 2, scratchDirectory });
  try {
    await readRequests(db, request);
    const laid = await request.lay?.(db);
    const laidRows = laid === undefined ? 'SELECT CAST(0 AS BIGINT) AS "row" WHERE false' : laidRowsSql(laid);
    await db.run(`CREATE TABLE laid AS ${laidRows}`);
    // What is laid has its answer, and gives it to no other row.
    const open = 'digest IS NOT NULL AND rowid NOT IN (SELECT "row" FROM laid)';
    await db.run(`CREATE TABLE duplicates AS
      SELECT requests.rowid AS "row", canonical_row FROM requests JOIN (
        SELECT digest, min(rowid) AS canonical_row FROM requests WHERE ${open} GROUP BY digest HAVING count(*) > 1
      ) AS canonical USING (digest) WHERE requests.rowid <> canonical_row AND ${open}`);
    // In the order of the rows: `place` counts them, and `record` the records before each.
    await db.run(`CREATE TABLE unsent AS
      SELECT *, row_number() OVER (ORDER BY "row") AS place, "row" - row_number() OVER (ORDER BY "row") + 1 AS record
      FROM (SELECT "row" FROM duplicates UNION ALL SELECT "row" FROM laid)`);
    const { unsent } = await db.row('SELECT CAST(count(*) AS DOUBLE) AS unsent FROM unsent');
    return {
      unsent: Number(unsent),
      laidPath: laid?.path,
      laidBefore: async (row) => {
        const before = await db.row(`SELECT CAST(count(*) AS DOUBLE) AS laid FROM laid WHERE "row" < ${row}`);
        return Number(before.laid);
      },
      recordsBefore: (rows) =>
        lookUp(db, rows, {
          table: 'SELECT "row" AS key, place AS found FROM unsent',
          on: 'given.value > known.key',
          result: 'given.value - coalesce(known.found, 0)',
        }),
      rowsOf: (records) =>
        lookUp(db, records, {
          table: 'SELECT record AS key, max(place) AS found FROM unsent GROUP BY record',
          on: 'given.value >= known.key',
          result: 'given.value + coalesce(known.found, 0)',
        }),
      save: async (path, beforeRow) => {
        const id =
          request.recordIdColumn === undefined
            ? `format('r{:0${RECORD_ID_DIGITS}d}', canonical_row)`
            : 'requests.id';
        await copyToParquet(db, {
          sql: `SELECT "row", canonical_row, ${id} AS canonical_id FROM duplicates JOIN requests ON requests.rowid = canonical_row
            WHERE "row" < ${beforeRow} ORDER BY "row"`,
          path,
          compression: 'snappy',
          bytesPerRow: DUPLICATE_BYTES,
        });
      },
      [Symbol.asyncDispose]: () => db[Symbol.asyncDispose](),
    };
  } catch (error) {
    await db[Symbol.asyncDispose]();
    throw error;
  }
}

/** A digest and, where a column gives the record ids, the id of each row, whose number is its `rowid`. */
async function readRequests(
  db: DuckDb,
  { files, dataset, frame, asked, recordIdColumn, rows, scratchDirectory }: RequestIndexRequest,
): Promise<void> {
  const idColumn = recordIdColumn === undefined ? undefined : columnGiven(dataset.columns, recordIdColumn);
  const used = [...columnsRead(frame, dataset.columns), ...(idColumn === undefined ? [] : [idColumn.name])];
  const columns = used.length > 0 ? [...new Set(used)] : dataset.columns.slice(0, 1).map(({ name }) => name);
  const id = idColumn === undefined ? 'NULL' : columnText(idColumn);
  await db.run('CREATE TABLE requests (digest BLOB, id VARCHAR)');
  const relations = openRelations({
    format: dataset.format,
    columns,
    reads: firstRows(files, dataset, rows),
    scratchPrefix: join(scratchDirectory, 'text-'),
  });
  for await (const relation of relations) {
    await using read = relation;
    await readingRows(db, read, () =>
      db.run(
        `INSERT INTO requests SELECT ${REQUEST_HASH_COLUMN}, id FROM (${requestHashSql(
          { frame, asked, columns: dataset.columns },
          {
            from: `(SELECT *, ${id} AS ${ID_COLUMN} FROM ${read.from})`,
            kept: [`${ID_COLUMN} AS id`],
          },
        )})`,
      ),
    );
  }
}

/** For each value, the result beside the nearest key that it reaches. */
async function lookUp(
  db: DuckDb,
  values: readonly number[],
  { table, on, result }: { table: string; on: string; result: string },
): Promise<number[]> {
  if (values.length === 0) return [];
  const given = values.map((value, index) => `(${index}, ${value})`).join(', ');
  const rows = await db.rows(`SELECT CAST(${result} AS DOUBLE) AS found
    FROM (VALUES ${given}) AS given(place, value) ASOF LEFT JOIN (${table}) AS known ON ${on} ORDER BY given.place`);
  return rows.map(({ found }) => Number(found));
}

/** SQL for the duplicates that `save` wrote, as far as their rows are in a range. */
export function duplicatesSql(path: string, { firstRow, rows }: { firstRow: number; rows: number }): string {
  return `SELECT * FROM read_parquet(${sqlPath(path)}, hive_partitioning = false) WHERE "row" >= ${firstRow} AND "row" < ${firstRow + rows}`;
}
