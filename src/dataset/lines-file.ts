import { open } from 'node:fs/promises';
import { type DuckDb, sqlText } from './duckdb.ts';
import { countNewlines } from './source-bytes.ts';

const READ_BYTES = 1 << 20;

/** How DuckDB writes a file of lines. */
export type LineFormat = 'blob' | 'csv';

/**
 * Writes the texts that a query gives, one line each, and gives their number. `FORMAT BLOB` is quick but hardly
 * documented: a DuckDB without it writes the same bytes with its CSV writer.
 */
export async function writeLines(db: DuckDb, sql: string, path: string): Promise<number> {
  try {
    return await db.copy(copyLinesSql(sql, path, 'blob'));
  } catch (error) {
    if (!isUnknownFormat(error)) throw error;
    return db.copy(copyLinesSql(sql, path, 'csv'));
  }
}

/** COPY statement that writes the single column of a query as lines. */
export function copyLinesSql(sql: string, path: string, format: LineFormat): string {
  switch (format) {
    case 'blob':
      return `COPY (SELECT encode(concat(line, chr(10))) FROM (${sql}) AS lines(line)) TO ${sqlText(path)} (FORMAT BLOB)`;
    case 'csv':
      // U+0001 never occurs in JSON, so no line is ever quoted or cut.
      return `COPY (${sql}) TO ${sqlText(path)} (FORMAT CSV, HEADER false, DELIMITER '\u0001', QUOTE '', ESCAPE '')`;
  }
}

/** How many lines a file has. */
export async function countLines(path: string): Promise<number> {
  await using file = await open(path);
  // One buffer for all: a stream's would pile up until they are collected.
  const buffer = Buffer.allocUnsafe(READ_BYTES);
  let lines = 0;
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, READ_BYTES, null);
    if (bytesRead === 0) return lines;
    lines += countNewlines(buffer.subarray(0, bytesRead));
  }
}

function isUnknownFormat(error: unknown): boolean {
  return error instanceof Error && /^Catalog Error: Copy Function with name blob/i.test(error.message);
}
