import { open } from 'node:fs/promises';
import { type DuckDb, sqlText } from '../duckdb/duckdb.ts';
import { countNewlines } from './source-encoding.ts';

const READ_BYTES = 1 << 20;

/**
 * Writes the texts that a query gives, one line each, and gives their number. No text may have a newline or U+0001 in
 * it, and JSON never has. DuckDB's hardly documented FORMAT BLOB writes the same bytes with a call to the system for
 * each.
 */
export function writeLines(db: DuckDb, sql: string, path: string): Promise<number> {
  return db.copy(
    `COPY (${sql}) TO ${sqlText(path)} (FORMAT CSV, HEADER false, DELIMITER '\u0001', QUOTE '', ESCAPE '', FORCE_QUOTE *)`,
  );
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
