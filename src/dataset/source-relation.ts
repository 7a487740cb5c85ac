import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Dataset } from '../core/part.ts';
import { MAX_CSV_RECORD_BYTES, readCsvHeader } from './csv-structure.ts';
import { sqlName, sqlText } from './duckdb.ts';
import { copyJsonlAsText } from './jsonl-source.ts';
import { parquetRangeSql } from './parquet.ts';
import type { RowWindow, SourceFile } from './source-bytes.ts';
import { parseSourceName } from './source-name.ts';

/** DuckDB's buffers for JSON have twice the bytes of the longest line that it may read; fewer are slow. */
const SHORT_LINE_BYTES = 4 * 1024 ** 2;

/** Rows of one dataset file. */
export type SourceRange = SourceFile & RowWindow;

/** A query over a range's columns, in the order of its rows, for as long as it is not disposed of. */
export interface SourceRelation extends AsyncDisposable {
  sql: string;
}

/** What to read: these columns of this range, of a dataset of this format. */
export interface SourceRequest {
  format: Dataset['format'];
  columns: readonly string[];
  range: SourceRange;
  scratchDirectory: string;
}

/** SQL for rows of a JSONL file that is plain, straight from the file. DuckDB refuses it for a key that is there twice. */
export function plainJsonlSql({ path, firstRow, rows }: SourceRange, columns: readonly string[]): string {
  const types = columns.map((name) => `${sqlText(name)}: 'VARCHAR'`).join(', ');
  return `SELECT ${columns.map(sqlName).join(', ')} FROM read_json(${sqlText(path)}, format = 'newline_delimited', records = true, hive_partitioning = false, compression = 'uncompressed', columns = {${types}}, maximum_object_size = ${SHORT_LINE_BYTES}) LIMIT ${rows} OFFSET ${firstRow}`;
}

/** Makes rows of a dataset file readable. CSV and JSONL are read from the file's start, Parquet where the rows are. */
export async function openRelation({
  format,
  columns,
  range,
  scratchDirectory,
}: SourceRequest): Promise<SourceRelation> {
  const names = columns.map(sqlName).join(', ');
  switch (format) {
    case 'parquet':
      await range.fetchRows?.(columns, range);
      return { sql: parquetRangeSql(names, range), [Symbol.asyncDispose]: async () => {} };
    case 'csv': {
      const limit = `LIMIT ${range.rows} OFFSET ${range.firstRow}`;
      return {
        sql: `SELECT ${names} FROM ${csvSql(range, await readCsvHeader(range))} ${limit}`,
        [Symbol.asyncDispose]: async () => {},
      };
    }
    case 'jsonl': {
      const to = join(scratchDirectory, 'source-as-text.jsonl');
      const { longestBytes } = await copyJsonlAsText(range, {
        columns,
        firstRow: range.firstRow,
        rows: range.rows,
        to,
      });
      return {
        sql: `SELECT ${columns.map((name, index) => `c${index} AS ${sqlName(name)}`).join(', ')} FROM ${jsonTextSql(to, { columns: columns.length, longestBytes })}`,
        [Symbol.asyncDispose]: () => rm(to, { force: true }),
      };
    }
  }
}

/**
 * SQL for a CSV file whose structure was proven sound: nothing is guessed, every column is text and nothing is
 * null. `parallel = false`, because the parallel reader fails on quoted newlines; `strict_mode = false`, because
 * the strict one fails on mixed newlines.
 */
function csvSql({ path, uri }: SourceFile, header: readonly string[]): string {
  const { compression, delimiter } = parseSourceName(uri) ?? { compression: 'none', delimiter: ',' };
  const options = [
    'auto_detect = false',
    'header = true',
    'parallel = false',
    'strict_mode = false',
    'hive_partitioning = false',
    `columns = {${header.map((name) => `${sqlText(name)}: 'VARCHAR'`).join(', ')}}`,
    `force_not_null = [${header.map(sqlText).join(', ')}]`,
    'allow_quoted_nulls = false',
    `delim = ${sqlText(delimiter)}`,
    `quote = '"'`,
    `escape = '"'`,
    `compression = ${sqlText(compression)}`,
    'buffer_size = 16000000',
    `max_line_size = ${MAX_CSV_RECORD_BYTES + 1000}`,
  ];
  return `read_csv(${sqlText(path)}, ${options.join(', ')})`;
}

function jsonTextSql(
  path: string,
  { columns, longestBytes }: { columns: number; longestBytes: number },
): string {
  const types = Array.from({ length: columns }, (_, index) => `c${index}: 'VARCHAR'`).join(', ');
  return `read_json(${sqlText(path)}, format = 'newline_delimited', records = true, hive_partitioning = false, columns = {${types}}, maximum_object_size = ${Math.max(SHORT_LINE_BYTES, longestBytes + 1)})`;
}
