import { join } from 'node:path';
import type { DuckDb } from '../duckdb/duckdb.ts';
import { copyToParquet, readParquetsSql } from '../duckdb/parquet.ts';
import type { ImageRequest } from './compared-side.ts';
import type { SharedColumn } from './shared-columns.ts';

/** The rows of both results, each with its counterpart, if it has one. */
export interface PairedRows {
  /** SQL for all of them. */
  from: string;
  /** Rows whose key an earlier row of the same result has as well: they are paired in their order. */
  duplicates: { a: number; b: number };
}

/** The images of both sides, and what they were made by. */
export interface PairRequest extends Pick<ImageRequest, 'columns' | 'inputs' | 'isEmbedding'> {
  a: readonly string[];
  b: readonly string[];
  directory: string;
}

/** What a pair has of each side; the answers themselves are needed no more. */
const KEPT = ['place', 'ok', 'error', 'truncated', 'refused', 'input_tokens', 'output_tokens', 'characters'];

/** Joins the rows of both sides by their keys; of several rows of one key the first with the first, and so on. */
export async function pairRows(db: DuckDb, request: PairRequest): Promise<PairedRows> {
  const { columns, inputs, isEmbedding, directory } = request;
  const a = await numberRows(db, { paths: request.a, path: join(directory, 'duplicates-a.parquet') });
  const b = await numberRows(db, { paths: request.b, path: join(directory, 'duplicates-b.parquet') });
  const path = join(directory, 'pairs.parquet');
  const both = 'a.place IS NOT NULL AND b.place IS NOT NULL';
  const compared = `${both} AND a.ok AND b.ok`;
  const texts = 'a.answer IS DISTINCT FROM b.answer';
  const values = columns.map((column, index) => `(${differsSql(column, index)})`);
  const selected = [
    ...KEPT.flatMap((name) => [`a.${name} AS a_${name}`, `b.${name} AS b_${name}`]),
    ...columns.flatMap((_, index) => [
      `a.c${index} AS a_c${index}`,
      `b.c${index} AS b_c${index}`,
      `${values[index]} AS differs${index}`,
    ]),
    `${both} AS met`,
    `coalesce(${compared}, false) AS compared`,
    `coalesce(${compared}, false) AND ${isEmbedding ? 'false' : values.length > 0 ? `(${values.join(' OR ')})` : texts} AS changed`,
    `coalesce(${compared}, false) AND ${texts} AS reworded`,
    `${inputs === undefined ? 'false' : `${both} AND a.input IS DISTINCT FROM b.input`} AS edited`,
  ];
  await copyToParquet(db, {
    sql: `SELECT ${selected.join(', ')} FROM ${a.from} AS a FULL JOIN ${b.from} AS b ON a.key = b.key AND a.nth = b.nth`,
    path,
    compression: 'snappy',
    bytesPerRow: 100 + 40 * columns.length,
    rowGroups: { rows: 122_880, bytes: 40_000_000 },
  });
  return { from: readParquetsSql([path]), duplicates: { a: a.duplicates, b: b.duplicates } };
}

function differsSql({ kind }: SharedColumn, index: number): string {
  const name = kind === 'text' ? `d${index}` : `c${index}`;
  return `a.${name} IS DISTINCT FROM b.${name}`;
}

/** SQL for a side's rows with their number among those of the same key, from 1; and how many are not the first. */
async function numberRows(
  db: DuckDb,
  { paths, path }: { paths: readonly string[]; path: string },
): Promise<{ from: string; duplicates: number }> {
  const rows = readParquetsSql(paths);
  // Only rows of a key that is there again are numbered: they are few, and all others are the first.
  const found = await copyToParquet(db, {
    sql: `SELECT place, row_number() OVER (PARTITION BY key ORDER BY place) AS nth FROM ${rows}
      WHERE key IN (SELECT key FROM ${rows} GROUP BY key HAVING count(*) > 1)`,
    path,
    compression: 'snappy',
    bytesPerRow: 16,
    rowGroups: { rows: 122_880, bytes: 40_000_000 },
  });
  if (found === 0) return { from: `(SELECT *, 1 AS nth FROM ${rows})`, duplicates: 0 };
  const { duplicates } = await db.row(
    `SELECT CAST(count(*) AS DOUBLE) AS duplicates FROM ${readParquetsSql([path])} WHERE nth > 1`,
  );
  return {
    from: `(SELECT images.*, coalesce(nth, 1) AS nth FROM ${rows} AS images LEFT JOIN ${readParquetsSql([path])} AS numbered USING (place))`,
    duplicates: Number(duplicates),
  };
}
