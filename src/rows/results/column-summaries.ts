import type { ColumnSummary } from '../../core/run/summary.ts';
import { type DuckDb, guardedSql, sqlName, unguarded } from '../duckdb/duckdb.ts';
import { readParquetColumns, readParquetsSql } from '../duckdb/parquet.ts';
import { fetchColumns, openResult, type ResultFile, withResults } from './read-results.ts';

/** Values of a column that are told, and that are counted in one file. */
const TOP_VALUES = { told: 20, counted: 200 };
/** Characters of a value. */
const VALUE_CHARACTERS = 60;
const NUMBER = /^(?:U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?|DOUBLE|FLOAT|DECIMAL.*)$/;
const SCALAR = /^(?:BOOLEAN|VARCHAR|DATE)$/;

/** Counts of one column over the files looked at so far. */
interface Counts {
  type: string;
  rows: number;
  nulls: number;
  values: Map<string, number>;
  numbers: { count: number; sum: number; min: number; max: number };
}

/**
 * What is in these columns of result files, of rows that have an answer, one file after the other until `maxRows` have been
 * looked at. Of a file, its most frequent values are counted. Columns of structs are passed over.
 */
export async function summarizeColumns(
  files: readonly ResultFile[],
  { names, maxRows }: { names: readonly string[]; maxRows: number },
): Promise<ColumnSummary[]> {
  const counts = new Map<string, Counts>();
  let rows = 0;
  await withResults(async (db) => {
    for (const source of files) {
      if (rows >= maxRows) return;
      await using file = await openResult(source);
      const columns = (await readParquetColumns(db, file.path)).filter(({ name }) => names.includes(name));
      await fetchColumns(db, file, ['error_code', ...columns.map(({ name }) => name)]);
      const from = `(SELECT * FROM ${readParquetsSql([file.path])} WHERE error_code IS NULL)`;
      const { answered } = await db.row(`SELECT CAST(count(*) AS DOUBLE) AS answered FROM ${from}`);
      rows += Number(answered);
      for (const { name, type } of columns) {
        const of = counts.get(name) ?? noCounts(type);
        counts.set(name, of);
        await addColumn(db, of, { name, from, answered: Number(answered) });
      }
    }
  });
  return names.flatMap((name) => {
    const found = counts.get(name);
    return found === undefined || itemTypeOf(found.type) === undefined ? [] : [summaryOf(name, found)];
  });
}

function noCounts(type: string): Counts {
  const numbers = { count: 0, sum: 0, min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY };
  return { type, rows: 0, nulls: 0, values: new Map(), numbers };
}

/** The type of what is counted: of the values, or of the items of lists; undefined where neither is counted. */
function itemTypeOf(type: string): string | undefined {
  const item = type.endsWith('[]') ? type.slice(0, -2) : type;
  return SCALAR.test(item) || NUMBER.test(item) ? item : undefined;
}

async function addColumn(
  db: DuckDb,
  counts: Counts,
  { name, from, answered }: { name: string; from: string; answered: number },
): Promise<void> {
  const item = itemTypeOf(counts.type);
  if (item === undefined) return;
  const column = sqlName(name);
  const { given } = await db.row(`SELECT CAST(count(${column}) AS DOUBLE) AS given FROM ${from}`);
  counts.rows += answered;
  counts.nulls += answered - Number(given);
  const isList = item !== counts.type;
  const items = isList
    ? `(SELECT unnest(${column}) AS item FROM ${from})`
    : `(SELECT ${column} AS item FROM ${from})`;
  const text = guardedSql(`left(CAST(item AS VARCHAR), ${VALUE_CHARACTERS})`);
  const values = await db.rows(`SELECT ${text} AS value, CAST(count(*) AS DOUBLE) AS "rows"
    FROM ${items} WHERE item IS NOT NULL GROUP BY value ORDER BY "rows" DESC, value LIMIT ${TOP_VALUES.counted}`);
  for (const { value, rows } of values) {
    const known = unguarded(value);
    counts.values.set(known, (counts.values.get(known) ?? 0) + Number(rows));
  }
  if (!NUMBER.test(item)) return;
  const { count, sum, min, max } =
    await db.row(`SELECT CAST(count(*) AS DOUBLE) AS count, sum(number) AS sum, min(number) AS min, max(number) AS max
    FROM (SELECT CAST(item AS DOUBLE) AS number FROM ${items}) WHERE isfinite(number)`);
  if (Number(count) === 0) return;
  const { numbers } = counts;
  numbers.count += Number(count);
  numbers.sum += Number(sum);
  numbers.min = Math.min(numbers.min, Number(min));
  numbers.max = Math.max(numbers.max, Number(max));
}

function summaryOf(name: string, { type, rows, nulls, values, numbers }: Counts): ColumnSummary {
  const sorted = [...values].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  const { count, sum, min, max } = numbers;
  // Prose: what is there once tells nothing.
  const isProse = sorted.length > TOP_VALUES.told && sorted[0]?.[1] === 1;
  return {
    name,
    type,
    rows,
    nulls,
    values: isProse ? [] : sorted.slice(0, TOP_VALUES.told).map(([value, of]) => ({ value, rows: of })),
    numbers: count === 0 ? null : { min, mean: sum / count, max },
  };
}
