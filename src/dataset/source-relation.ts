import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Dataset } from '../core/part.ts';
import { CSV_PIECE_BYTES, cutCsv } from './csv-pieces.ts';
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

/** A query over columns of consecutive rows, in their order. It holds until the next one is asked for. */
export interface SourceRelation {
  sql: string;
  rows: number;
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

/**
 * Makes rows of a dataset file readable, piece by piece: each query gives the rows after those of the one before.
 * CSV and JSONL are read from the file's start, Parquet where the rows are.
 */
export async function* openRelations(request: SourceRequest): AsyncGenerator<SourceRelation> {
  const { format, columns, range, scratchDirectory } = request;
  const names = columns.map(sqlName).join(', ');
  const { rows } = range;
  switch (format) {
    case 'parquet':
      await range.fetchRows?.(columns, range);
      yield { sql: parquetRangeSql(names, range), rows };
      return;
    case 'csv':
      yield* openCsvRelations(request);
      return;
    case 'jsonl': {
      const to = join(scratchDirectory, 'source-as-text.jsonl');
      try {
        const { longestBytes } = await copyJsonlAsText(range, {
          columns,
          firstRow: range.firstRow,
          rows,
          to,
        });
        yield {
          sql: `SELECT ${columns.map((name, index) => `c${index} AS ${sqlName(name)}`).join(', ')} FROM ${jsonTextSql(to, { columns: columns.length, longestBytes })}`,
          rows,
        };
      } finally {
        await rm(to, { force: true });
      }
    }
  }
}

async function* openCsvRelations({
  columns,
  range,
  scratchDirectory,
}: SourceRequest): AsyncGenerator<SourceRelation> {
  const names = columns.map(sqlName).join(', ');
  const { delimiter, compression } = parseSourceName(range.uri) ?? { delimiter: ',', compression: 'none' };
  await using _held = await range.hold?.();
  const header = await readCsvHeader(range);
  const end = range.firstRow + range.rows;
  const selectRows = (path: string, firstRow: number, rows: number) =>
    `SELECT ${names} FROM ${csvSql(path, header, delimiter)} LIMIT ${rows} OFFSET ${firstRow}`;
  if (compression === 'none' && (await stat(range.path)).size <= CSV_PIECE_BYTES) {
    yield { sql: selectRows(range.path, range.firstRow, range.rows), rows: range.rows };
    return;
  }
  let firstRow = 0;
  for await (const piece of cutCsv(range, { scratchDirectory, rows: end })) {
    await using _cut = piece;
    const from = Math.max(firstRow, range.firstRow);
    const to = Math.min(firstRow + piece.rows, end);
    if (from < to) yield { sql: selectRows(piece.path, from - firstRow, to - from), rows: to - from };
    firstRow += piece.rows;
  }
}

/**
 * SQL for a CSV file whose structure was proven sound: nothing is guessed, every column is text and nothing is
 * null. `parallel = false`, because the parallel reader fails on quoted newlines; `strict_mode = false`, because
 * the strict one fails on mixed newlines.
 */
function csvSql(path: string, header: readonly string[], delimiter: string): string {
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
    `compression = 'none'`,
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
