import { join } from 'node:path';
import { columnGiven } from '../../core/plan/names-apart.ts';
import type { Column, Dataset } from '../../core/plan/part.ts';
import { columnsOf, type RecordFrame } from '../../models/record-frame.ts';
import { columnText } from '../duckdb/column-text.ts';
import { type DuckDb, guardedSql, sqlText, unguarded } from '../duckdb/duckdb.ts';
import { parquetRangeSql, readParquetColumns, readParquetSql } from '../duckdb/parquet.ts';
import { type Asked, REQUEST_HASH_COLUMN, recordIdSql, requestHashSql } from '../prepare/record-sql.ts';
import { openResult, type ResultFile, readCountSql } from '../results/read-results.ts';
import { readingRows } from '../sources/damaged-source.ts';
import { firstRows } from '../sources/dataset-rows.ts';
import type { LocalDatasetFile } from '../sources/describe-dataset.ts';
import { openRelations } from '../sources/source-relation.ts';

/** What a row asks, and of what. */
export interface RowRequest {
  recordId: string;
  /** Hexadecimal; null where a column that the prompt needs is null. */
  key: string | null;
  /** The columns that the request is made of, as texts. */
  values: ReadonlyMap<string, string | null>;
}

/** Which row of which dataset, and how it is asked. */
export interface RowRequestQuery {
  files: readonly LocalDatasetFile[];
  dataset: Dataset;
  /** The first N rows. */
  rows: number;
  frame: RecordFrame;
  asked: Asked;
  recordIdColumn: string | undefined;
  recordId: string;
  scratchDirectory: string;
}

/** Finds the row with a record id, and what it asks; undefined where there is none. The dataset is read once. */
export async function readRowRequest(db: DuckDb, query: RowRequestQuery): Promise<RowRequest | undefined> {
  const { files, dataset, rows, frame, asked, recordIdColumn, recordId, scratchDirectory } = query;
  const used = columnsOf(frame);
  const ids = recordIdColumn === undefined ? [] : [recordIdColumn];
  const [first] = dataset.columns;
  const read = [...new Set([...used, ...ids])].map(
    (name) => columnGiven(dataset.columns, name)?.name ?? name,
  );
  const relations = openRelations({
    format: dataset.format,
    columns: read.length > 0 || first === undefined ? read : [first.name],
    reads: firstRows(files, dataset, rows),
    scratchPrefix: join(scratchDirectory, 'explain-'),
  });
  let found: RowRequest | undefined;
  for await (const relation of relations) {
    await using source = relation;
    const id = recordIdSql(dataset.columns, { recordIdColumn, rowNumber: source.rowNumber });
    const hashed = requestHashSql(
      { frame, asked, columns: dataset.columns },
      {
        from: `(SELECT *, ${id} AS __quarry_id FROM ${source.from})`,
        kept: ['__quarry_id', `${textsSql(used, dataset.columns)} AS __quarry_texts`],
      },
    );
    // By an aggregate, as what is read may not be filtered.
    const isIt = `__quarry_id = ${sqlText(recordId)}`;
    const row = await readingRows(db, source, () =>
      db.row(
        `SELECT count(*) FILTER (${isIt}) > 0 AS is_there, arg_min(hex(${REQUEST_HASH_COLUMN}), 0) FILTER (${isIt}) AS key, arg_min(__quarry_texts, 0) FILTER (${isIt}) AS texts FROM (${hashed})`,
      ),
    );
    if (row.is_there === true) {
      found ??= {
        recordId,
        key: row.key === null ? null : String(row.key),
        values: valuesOf(used, row.texts),
      };
    }
  }
  return found;
}

/** SQL for columns' texts as a list, each guarded; null for null. */
function textsSql(names: readonly string[], columns: readonly Column[]): string {
  const texts = names.map((name) => {
    const column = columnGiven(columns, name);
    return column === undefined ? 'CAST(NULL AS VARCHAR)' : guardedSql(columnText(column));
  });
  return `CAST([${texts.join(', ')}] AS VARCHAR[])`;
}

function valuesOf(names: readonly string[], texts: unknown): ReadonlyMap<string, string | null> {
  const list = Array.isArray(texts) ? texts : [];
  return new Map(
    names.map((name, index) => [
      name,
      list[index] === null || list[index] === undefined ? null : unguarded(list[index]),
    ]),
  );
}

/** A kept answer of a record, or to a request. */
export interface KeptOf {
  runId: string;
  answeredAt: string;
}

/** The newest answer in a file that a condition is true of; of a file that is not here, no answer itself is fetched. */
export async function newestKept(
  db: DuckDb,
  source: ResultFile,
  where: { key: string } | { recordId: string },
): Promise<KeptOf | undefined> {
  await using file = await openResult(source);
  const { rows } = await db.row(readCountSql([file.path]));
  await file.fetchRows(['key', 'record_id', 'run_id', 'answered_at'], { firstRow: 0, rows: Number(rows) });
  const condition =
    'key' in where ? `key = unhex(${sqlText(where.key)})` : `record_id = ${sqlText(where.recordId)}`;
  const [found] = await db.rows(
    `SELECT run_id, answered_at FROM ${readParquetSql(file.path)} WHERE ${condition} ORDER BY answered_at DESC LIMIT 1`,
  );
  return found && { runId: String(found.run_id), answeredAt: String(found.answered_at) };
}

/** The values that a record had in columns of a result file; undefined where it is not in that file. */
export async function readResultValues(
  db: DuckDb,
  source: ResultFile,
  { recordIdColumn, recordId, names }: { recordIdColumn: string; recordId: string; names: readonly string[] },
): Promise<ReadonlyMap<string, string | null> | undefined> {
  await using file = await openResult(source);
  const columns = await readParquetColumns(db, file.path);
  const idColumn = columns.find(({ name }) => name === recordIdColumn);
  if (idColumn === undefined) return undefined;
  const { rows } = await db.row(readCountSql([file.path]));
  await file.fetchRows([recordIdColumn], { firstRow: 0, rows: Number(rows) });
  const [place] = await db.rows(
    `SELECT CAST(file_row_number AS DOUBLE) AS place FROM ${readParquetSql(file.path)} WHERE ${columnText(idColumn)} = ${sqlText(recordId)} LIMIT 1`,
  );
  if (place === undefined) return undefined;
  const window = { firstRow: Number(place.place), rows: 1 };
  const present = names.filter((name) => columns.some((column) => column.name === name));
  await file.fetchRows(present, window);
  const { texts } = await db.row(
    `SELECT ${textsSql(present, columns)} AS texts FROM ${parquetRangeSql({ path: file.path, ...window })}`,
  );
  return valuesOf(present, texts);
}
