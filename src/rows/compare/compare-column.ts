import {
  labelSignificance,
  type Share,
  type Significance,
  shareOf,
  type Transition,
} from '../../core/diff/significance.ts';
import { type DuckDb, guardedSql, unguarded } from '../duckdb/duckdb.ts';
import { compareNumbers, type NumberDiff } from './compare-numbers.ts';
import type { SharedColumn } from './shared-columns.ts';

/** Values that a column has at most, about, for a table of what became what. */
const MOST_VALUES = 100;
/** Entries of such a table. */
const MOST_TRANSITIONS = 60;

/** What became of a typed column, in rows that have an answer in both runs. */
export interface ColumnDiff {
  name: string;
  /** DuckDB's types of it. */
  type_a: string;
  type_b: string;
  changed: Share;
  /** What became what, what stayed included, the most frequent first; empty of columns with very many values. */
  transitions: Transition[];
  /** Rows whose transition is not in that list; null where there is no list. */
  others: number | null;
  /** Whether rows moved one way more than the other; null where none moved, or values are neither labels nor numbers. */
  significance: Significance | null;
  /** Of a column of numbers. */
  numbers: NumberDiff | null;
}

/** Compares a column of paired rows, which is the `index`-th of them. */
export async function compareColumn(
  db: DuckDb,
  { from, column, index, compared }: { from: string; column: SharedColumn; index: number; compared: number },
): Promise<ColumnDiff> {
  const { name, kind, types } = column;
  const rows = `(SELECT * FROM ${from} WHERE compared)`;
  const { changed, values } =
    await db.row(`SELECT CAST(count(*) FILTER (differs${index}) AS DOUBLE) AS changed,
      CAST(greatest(approx_count_distinct(a_c${index}), approx_count_distinct(b_c${index})) AS DOUBLE) AS values FROM ${rows}`);
  const all = Number(values) <= MOST_VALUES ? await readTransitions(db, rows, index) : undefined;
  const numbers =
    kind === 'number'
      ? ((await compareNumbers(db, { from: rows, a: `a_c${index}`, b: `b_c${index}` })) ?? null)
      : null;
  const transitions = (all ?? []).slice(0, MOST_TRANSITIONS);
  return {
    name,
    type_a: types[0],
    type_b: types[1],
    changed: shareOf(Number(changed), compared),
    transitions,
    others: all === undefined ? null : compared - transitions.reduce((sum, { rows: of }) => sum + of, 0),
    significance:
      kind === 'number' ? (numbers?.shift.significance ?? null) : labelSignificance(labelled(all ?? [])),
    numbers,
  };
}

async function readTransitions(db: DuckDb, from: string, index: number): Promise<Transition[]> {
  const text = (side: string) => guardedSql(`CAST(${side}_c${index} AS VARCHAR)`);
  const found =
    await db.rows(`SELECT ${text('a')} AS "from", ${text('b')} AS "to", CAST(count(*) AS DOUBLE) AS "rows"
    FROM ${from} GROUP BY ALL ORDER BY "rows" DESC, "from" NULLS LAST, "to" NULLS LAST`);
  return found.map(({ from: before, to: after, rows }) => ({
    from: before === null ? null : unguarded(before),
    to: after === null ? null : unguarded(after),
    rows: Number(rows),
  }));
}

/** Those from a label to a label. */
function labelled(transitions: readonly Transition[]): Transition<string>[] {
  return transitions.flatMap(({ from, to, rows }) =>
    from === null || to === null ? [] : [{ from, to, rows }],
  );
}
