import { type DuckDb, guardedSql, unguarded } from '../duckdb/duckdb.ts';
import type { SharedColumn } from './shared-columns.ts';

/** Why a pair of rows is shown. */
export type TellingReason =
  | { kind: 'shift' | 'transition'; column: string }
  | { kind: 'length' | 'words' | 'distance' | 'newly_failed' | 'newly_mended' };

/** A pair of rows that tells what changed: places in both results, by their files. */
export interface TellingPair {
  a: { file: number; row: number };
  b: { file: number; row: number };
  why: TellingReason;
  /** Of vectors. */
  distance: number | null;
  /** Typed columns whose values differ. */
  values: { name: string; from: string | null; to: string | null }[];
}

/** Pairs of each reason: of each typed column, of each of its transitions, of each cause; and of texts. */
const MOST = {
  shifts: 5,
  transitions: 8,
  ofTransition: 2,
  causes: 5,
  ofCause: 2,
  lengths: 8,
  words: 40,
  farthest: 20,
};
/** Pairs in all. */
const MOST_PAIRS = 80;

/** What is chosen from. */
export interface TellingRequest {
  /** SQL for the pairs. */
  from: string;
  columns: readonly SharedColumn[];
  /** SQL for the distances of vectors. */
  distances: string | undefined;
}

type Choice = { sql: string; why: TellingReason };

/**
 * The pairs that tell most: the largest shifts of numbers, some of the most frequent transitions, answers whose length changed
 * most, the farthest vectors, some newly failed and newly mended; and of reworded texts some by their digests, which are
 * as good as drawn by lot. The same results always give the same.
 */
export async function chooseTelling(db: DuckDb, request: TellingRequest): Promise<TellingPair[]> {
  const { columns } = request;
  const chosen = new Map<string, TellingPair>();
  for (const { sql, why } of choicesOf(request)) {
    const left = MOST_PAIRS - chosen.size;
    if (left <= 0) break;
    for (const row of await db.rows(`${sql} LIMIT ${left}`)) {
      const [a, b] = [String(row.a), String(row.b)];
      if (chosen.has(a)) continue;
      const distance = row.distance === undefined || row.distance === null ? null : Number(row.distance);
      chosen.set(a, { a: placeOf(a), b: placeOf(b), why, distance, values: [] });
    }
  }
  if (chosen.size > 0 && columns.length > 0) await addValues(db, request, chosen);
  return [...chosen.values()];
}

/** A choice of pairs each, the most telling first. */
function choicesOf({ from, columns, distances }: TellingRequest): Choice[] {
  const places = 'CAST(a_place AS VARCHAR) AS a, CAST(b_place AS VARCHAR) AS b';
  if (distances !== undefined) {
    return [
      {
        sql: `SELECT ${places}, distance FROM (SELECT * FROM ${distances} WHERE distance > 0 ORDER BY distance DESC, a_place LIMIT ${MOST.farthest})`,
        why: { kind: 'distance' },
      },
      ...outcomeChoices(from, places),
    ];
  }
  const some = (rows: string, order: string, most: number) =>
    `SELECT ${places} FROM (SELECT * FROM ${rows} ORDER BY ${order}, a_place LIMIT ${most})`;
  return [
    ...columns.flatMap(({ name, kind }, index): Choice[] => {
      const changed = `(SELECT * FROM ${from} WHERE compared AND differs${index})`;
      if (kind === 'number') {
        const shift = `abs(CAST(b_c${index} AS DOUBLE) - CAST(a_c${index} AS DOUBLE)) DESC NULLS LAST`;
        return [{ sql: some(changed, shift, MOST.shifts), why: { kind: 'shift', column: name } }];
      }
      return [{ sql: transitionsSql(changed, { index, places }), why: { kind: 'transition', column: name } }];
    }),
    ...outcomeChoices(from, places),
    {
      sql: some(
        `${from} WHERE changed AND a_characters <> b_characters`,
        'abs(ln((1 + b_characters) / (1 + a_characters))) DESC',
        MOST.lengths,
      ),
      why: { kind: 'length' },
    },
    {
      sql: some(`${from} WHERE changed`, 'md5(CAST(a_place AS VARCHAR))', MOST.words),
      why: { kind: 'words' },
    },
  ];
}

/** The first pairs of each of the most frequent transitions. */
function transitionsSql(changed: string, { index, places }: { index: number; places: string }): string {
  const pair = `a_c${index}, b_c${index}`;
  return `SELECT ${places} FROM (
      SELECT a_place, b_place, often, nth FROM (
        SELECT a_place, b_place, often, row_number() OVER (PARTITION BY ${pair} ORDER BY a_place) AS nth
        FROM (SELECT a_place, b_place, a_c${index}, b_c${index} FROM ${changed}) JOIN (
          SELECT ${pair}, count(*) AS often FROM ${changed} GROUP BY ${pair} ORDER BY often DESC, ${pair} LIMIT ${MOST.transitions}
        ) AS frequent (before, after, often) ON a_c${index} IS NOT DISTINCT FROM before AND b_c${index} IS NOT DISTINCT FROM after)
      WHERE nth <= ${MOST.ofTransition} ORDER BY often DESC, nth, a_place)`;
}

/** The first pairs of each of the most frequent causes of rows that have an answer in one of the runs alone. */
function outcomeChoices(from: string, places: string): Choice[] {
  const of = (kind: 'newly_failed' | 'newly_mended', condition: string, cause: string): Choice => ({
    sql: `SELECT ${places} FROM (
        SELECT a_place, b_place, row_number() OVER (PARTITION BY ${cause} ORDER BY a_place) AS nth, count(*) OVER (PARTITION BY ${cause}) AS often
        FROM (SELECT a_place, b_place, ${cause} FROM ${from} WHERE met AND ${condition}))
      WHERE nth <= ${MOST.ofCause} ORDER BY often DESC, nth, a_place`,
    why: { kind },
  });
  return [
    of('newly_failed', 'a_ok AND NOT b_ok', 'b_error'),
    of('newly_mended', 'b_ok AND NOT a_ok', 'a_error'),
  ].map(({ sql, why }) => ({ sql: `SELECT * FROM (${sql} LIMIT ${MOST.causes * MOST.ofCause})`, why }));
}

function placeOf(place: string): { file: number; row: number } {
  const number = BigInt(place);
  return { file: Number(number >> 32n), row: Number(number & 0xffff_ffffn) };
}

async function addValues(
  db: DuckDb,
  { from, columns }: TellingRequest,
  chosen: ReadonlyMap<string, TellingPair>,
): Promise<void> {
  const text = (name: string, as: string) => `${guardedSql(`left(CAST(${name} AS VARCHAR), 80)`)} AS ${as}`;
  const values = columns.map(
    (_, index) =>
      `${text(`a_c${index}`, `from${index}`)}, ${text(`b_c${index}`, `to${index}`)}, differs${index}`,
  );
  const rows = await db.rows(
    `SELECT CAST(a_place AS VARCHAR) AS a, ${values.join(', ')} FROM ${from} WHERE a_place IN (${[...chosen.keys()].join(', ')})`,
  );
  for (const row of rows) {
    chosen.get(String(row.a))?.values.push(
      ...columns.flatMap(({ name }, index) => {
        const given = (value: unknown) => (value === null ? null : unguarded(value));
        return row[`differs${index}`] === true
          ? [{ name, from: given(row[`from${index}`]), to: given(row[`to${index}`]) }]
          : [];
      }),
    );
  }
}
