import { kappaOf } from '../../core/diff/agreement.ts';
import type { VariantAgreement } from '../../core/run/summary.ts';
import { type DuckDb, openDuckDb, sqlName } from '../duckdb/duckdb.ts';
import { readParquetsSql } from '../duckdb/parquet.ts';
import { createScratch } from '../duckdb/scratch.ts';
import { fetchColumns, openResult, READ_MEMORY_MB, type ResultFile } from './read-results.ts';
import type { ResultColumns } from './result-columns.ts';

/** A variant whose answers stand beside those of others. */
export interface ComparedVariant {
  name: string;
  columns: ResultColumns;
}

/** Values that are categories: at most so many, and at most one for two rows. */
const MAX_CATEGORIES = 50;

/**
 * How far each two variants agree, by the columns of all side by side, over the first `maxRows` rows; one file after the other, of which
 * digests of the answers are kept.
 */
export async function compareVariants(
  files: readonly ResultFile[],
  { variants, maxRows }: { variants: readonly ComparedVariant[]; maxRows: number },
): Promise<VariantAgreement[]> {
  await using scratch = await createScratch();
  await using db = await openDuckDb({ memoryMb: READ_MEMORY_MB, threads: 2, scratchDirectory: scratch.path });
  await readDigests(db, files, { variants, maxRows });
  const agreements: VariantAgreement[] = [];
  for (const [index, a] of variants.entries()) {
    for (const b of variants.slice(index + 1)) agreements.push(await agreementOf(db, a, b));
  }
  return agreements;
}

/** What may be compared of a variant: the columns of its schema, and its answers. */
function namesOf({ columns: { properties, answer } }: ComparedVariant): string[] {
  return [...properties, answer].map(({ name }) => name);
}

/** The columns that two are compared by: those of the schema that both have, or else the answers. */
function pairsOf({ columns: a }: ComparedVariant, { columns: b }: ComparedVariant): [a: string, b: string][] {
  const both = a.properties.filter(({ name }) => b.properties.some((other) => other.name === name));
  return both.length > 0 ? both.map(({ name }) => [name, name]) : [[a.answer.name, b.answer.name]];
}

async function readDigests(
  db: DuckDb,
  files: readonly ResultFile[],
  { variants, maxRows }: { variants: readonly ComparedVariant[]; maxRows: number },
): Promise<void> {
  const read = variants.flatMap((variant) =>
    ['error_code', ...namesOf(variant)].map((name) => `${name}_${variant.name}`),
  );
  const selected = variants.flatMap((variant) => [
    `${sqlName(`error_code_${variant.name}`)} IS NULL AS ${sqlName(`ok_${variant.name}`)}`,
    ...namesOf(variant).map((name) => {
      const column = sqlName(`${name}_${variant.name}`);
      return `md5_number(CAST(${column} AS VARCHAR)) AS ${sqlName(`d_${name}_${variant.name}`)}`;
    }),
  ]);
  let left = maxRows;
  for (const [index, source] of files.entries()) {
    if (index > 0 && left <= 0) return;
    await using file = await openResult(source);
    await fetchColumns(db, file, read);
    const sql = `SELECT ${selected.join(', ')} FROM ${readParquetsSql([file.path])} LIMIT ${Math.max(0, left)}`;
    await db.run(index === 0 ? `CREATE TABLE digests AS ${sql}` : `INSERT INTO digests ${sql}`);
    const { rows } = await db.row('SELECT CAST(count(*) AS DOUBLE) AS "rows" FROM digests');
    left = maxRows - Number(rows);
  }
}

async function agreementOf(db: DuckDb, a: ComparedVariant, b: ComparedVariant): Promise<VariantAgreement> {
  const digests = pairsOf(a, b).map(([x, y]) => ({
    name: x,
    a: sqlName(`d_${x}_${a.name}`),
    b: sqlName(`d_${y}_${b.name}`),
  }));
  const from = `(FROM digests WHERE ${sqlName(`ok_${a.name}`)} AND ${sqlName(`ok_${b.name}`)})`;
  const isEqual = digests.map((pair) => `${pair.a} IS NOT DISTINCT FROM ${pair.b}`);
  const counted = isEqual.map((sql, index) => `CAST(count(*) FILTER (${sql}) AS DOUBLE) AS e${index}`);
  const found = await db.row(
    `SELECT ${['CAST(count(*) AS DOUBLE) AS compared', `CAST(count(*) FILTER (${isEqual.join(' AND ')}) AS DOUBLE) AS equal`, ...counted].join(', ')} FROM ${from}`,
  );
  const compared = Number(found.compared);
  const columns: VariantAgreement['columns'] = [];
  for (const [index, pair] of digests.entries()) {
    const kappa = await readKappa(db, { ...pair, from, compared });
    columns.push({ name: pair.name, equal: Number(found[`e${index}`]), kappa });
  }
  return { a: a.name, b: b.name, compared, equal: Number(found.equal), columns };
}

/** Kappa of a column whose values are categories; null where they are none. */
async function readKappa(
  db: DuckDb,
  { a, b, from, compared }: { a: string; b: string; from: string; compared: number },
): Promise<number | null> {
  const { values } = await db.row(
    `SELECT CAST(greatest(count(DISTINCT ${a}), count(DISTINCT ${b})) AS DOUBLE) AS "values" FROM ${from}`,
  );
  if (Number(values) > Math.min(MAX_CATEGORIES, compared / 2)) return null;
  const table = await db.rows(
    `SELECT CAST(${a} AS VARCHAR) AS a, CAST(${b} AS VARCHAR) AS b, CAST(count(*) AS DOUBLE) AS "rows" FROM ${from} GROUP BY ALL`,
  );
  const text = (value: unknown) => (value === null ? null : String(value));
  return kappaOf(table.map((row) => ({ a: text(row.a), b: text(row.b), rows: Number(row.rows) })));
}
