import { type MeanShift, meanShiftOf } from '../../core/diff/significance.ts';
import type { DuckDb } from '../duckdb/duckdb.ts';

/** Numbers of rows, of both runs, and how much larger those of the second are. */
export interface NumberDiff {
  /** Rows that have a finite number in both. */
  rows: number;
  mean_a: number;
  mean_b: number;
  shift: MeanShift;
  increased: number;
  decreased: number;
  /** Of the shifts: the smallest one that so many are not above. */
  quantiles: ShiftQuantiles;
}

/** From the smallest to the largest. */
export type ShiftQuantiles = Record<keyof typeof QUANTILES, number>;

export const QUANTILES = { min: 0, p05: 0.05, p25: 0.25, median: 0.5, p75: 0.75, p95: 0.95, max: 1 } as const;

/** Beyond it, squares are no numbers any more. */
const LARGEST = 1e150;

/** Where two numbers of a pair are: SQL, over `from`. */
export interface NumberPairs {
  from: string;
  a: string;
  b: string;
}

/** What became of numbers; undefined where no row has one in both. */
export async function compareNumbers(
  db: DuckDb,
  { from, a, b }: NumberPairs,
): Promise<NumberDiff | undefined> {
  const pairs = `(SELECT a, b, b - a AS shift FROM (SELECT CAST(${a} AS DOUBLE) AS a, CAST(${b} AS DOUBLE) AS b FROM ${from})
    WHERE abs(a) < ${LARGEST} AND abs(b) < ${LARGEST})`;
  const found =
    await db.row(`SELECT CAST(count(*) AS DOUBLE) AS n, avg(a) AS mean_a, avg(b) AS mean_b, avg(shift) AS mean,
      coalesce(stddev_samp(shift), 0) AS deviation,
      CAST(count(*) FILTER (shift > 0) AS DOUBLE) AS increased, CAST(count(*) FILTER (shift < 0) AS DOUBLE) AS decreased
    FROM ${pairs}`);
  const n = Number(found.n);
  if (n === 0) return undefined;
  const shift = meanShiftOf({ n, mean: steady(found.mean), deviation: steady(found.deviation) });
  return {
    rows: n,
    mean_a: steady(found.mean_a),
    mean_b: steady(found.mean_b),
    shift,
    increased: Number(found.increased),
    decreased: Number(found.decreased),
    quantiles: await readQuantiles(db, { from: pairs, value: 'shift', rows: n }),
  };
}

/** The quantiles of values, by a sort that goes to the disk where it must. */
export async function readQuantiles(
  db: DuckDb,
  { from, value, rows }: { from: string; value: string; rows: number },
): Promise<ShiftQuantiles> {
  const wanted = Object.entries(QUANTILES).map(
    ([name, share]) => `min(value) FILTER (reached >= ${Math.max(1, Math.ceil(share * rows))}) AS ${name}`,
  );
  const found = await db.row(`SELECT ${wanted.join(', ')} FROM (
      SELECT value, sum(n) OVER (ORDER BY value ROWS UNBOUNDED PRECEDING) AS reached
      FROM (SELECT ${value} AS value, count(*) AS n FROM ${from} GROUP BY value))`);
  return Object.fromEntries(
    Object.keys(QUANTILES).map((name) => [name, Number(found[name])]),
  ) as ShiftQuantiles;
}

/** A number that threads have added up in any order: its last digits are not the same every time. */
export function steady(value: unknown): number {
  return Number(Number(value).toPrecision(10));
}
