import type { PlannedPart } from '../../core/plan/part.ts';
import { writeLines } from '../bytes/lines-file.ts';
import type { DuckDb } from '../duckdb/duckdb.ts';
import { type ParquetCopy, readParquetSql } from '../duckdb/parquet.ts';
import { writeMediaRecords } from '../media/media-records.ts';
import { expectRows } from '../sources/expect-rows.ts';
import type { PrepareRequest } from './prepare-slice.ts';
import { isSentSql, promptsSql, RECORD_ID_COLUMN, recordIdSql, recordLinesSql } from './record-sql.ts';
import { marksOf } from './unsent-rows.ts';

/** A part whose rows are written, and where its records go. */
interface PartRows {
  part: PlannedPart;
  recordsPath: string;
  rowsPath: string;
  rowGroups: NonNullable<ParquetCopy['rowGroups']>;
}

type RecordsRequest = Pick<
  PrepareRequest,
  'frame' | 'dataset' | 'unsent' | 'media' | 'maxBytes' | 'rowsCompression' | 'recordIdColumn'
>;

/**
 * Writes a part's records from its rows, which must be in their places; their number. Where rows have images, their records
 * are not written to the end once they are more than a file takes.
 */
export async function writeRecords(db: DuckDb, request: RecordsRequest, rows: PartRows): Promise<number> {
  const { media, dataset, unsent, recordIdColumn } = request;
  const { part, rowsPath } = rows;
  const isSent = isSentSql(marksOf(unsent));
  const { records, isWhole } =
    media === undefined
      ? { records: await writeTextRecords(db, request, rows), isWhole: true }
      : await writeMediaRecords(
          db,
          { ...request, ...rows, partId: part.part_id, columns: dataset.columns, isSent },
          media,
        );
  if (!isWhole) return records;
  const rowNumber = `(file_row_number + ${part.first_row})`;
  const isInPlace =
    recordIdColumn === undefined
      ? `${RECORD_ID_COLUMN} = ${recordIdSql(dataset.columns, { recordIdColumn: undefined, rowNumber })}`
      : 'true';
  const written = await db.row(
    `SELECT CAST(count(*) FILTER (${isInPlace}) AS DOUBLE) AS "rows", CAST(count(*) FILTER (${isSent}) AS DOUBLE) AS sent FROM ${readParquetSql(rowsPath)}`,
  );
  expectRows(Number(written.rows), part.rows, `part ${part.part_id}, each in its place`);
  expectRows(records, Number(written.sent), `the records of part ${part.part_id}`);
  return records;
}

function writeTextRecords(
  db: DuckDb,
  { frame, dataset, unsent }: RecordsRequest,
  { recordsPath, rowsPath }: PartRows,
): Promise<number> {
  const texts = promptsSql(frame, dataset.columns);
  const prompts = texts.map((_, index) => `prompt_${index}`);
  const sent = `SELECT ${[RECORD_ID_COLUMN, ...texts.map((sql, index) => `${sql} AS ${prompts[index]}`)].join(', ')} FROM ${readParquetSql(rowsPath)} WHERE ${isSentSql(marksOf(unsent))}`;
  return writeLines(
    db,
    recordLinesSql(frame, { recordId: RECORD_ID_COLUMN, prompts, from: sent }),
    recordsPath,
  );
}
