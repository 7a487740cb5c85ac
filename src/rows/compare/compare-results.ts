import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Share, shareOf } from '../../core/diff/significance.ts';
import { type DuckDb, guardedSql, openDuckDb, unguarded } from '../duckdb/duckdb.ts';
import { type ColumnDiff, compareColumn } from './compare-column.ts';
import { compareEmbeddings, type DistanceDiff } from './compare-embeddings.ts';
import { compareNumbers, type NumberDiff } from './compare-numbers.ts';
import {
  COMPARE_MEMORY_MB,
  type ComparedSide,
  describeSide,
  type ImageRequest,
  type RowKey,
  writeImages,
} from './compared-side.ts';
import { pairRows } from './pair-rows.ts';
import { sharedColumnsOf } from './shared-columns.ts';
import { chooseTelling, type TellingPair } from './telling-rows.ts';

/** Two results, and how their rows belong together. */
export interface ComparisonRequest {
  a: ComparedSide;
  b: ComparedSide;
  key: RowKey;
  /** Columns of the dataset that rows with the same id may differ in; undefined where they cannot. */
  inputs: readonly string[] | undefined;
  /** Typed columns that both runs were asked for. */
  typed: readonly string[];
  isEmbedding: boolean;
  /** Directory for what is written meanwhile, some hundred bytes a row; whoever names it removes it. */
  directory: string;
}

/** Rows that fell for a cause. */
export interface CauseCount {
  error_code: string;
  rows: number;
}

/** How many rows are so in each run, and how many of those in both are so in one alone. */
export interface FlawDiff {
  a: number;
  b: number;
  newly: number;
  no_longer: number;
}

/** What two results have in common, and what not. Counts are rows. */
export interface ResultComparison {
  /** Rows of both; of the first alone; of the second alone. */
  in_both: number;
  only_in_a: number;
  only_in_b: number;
  /** Rows whose key an earlier row of the same run has as well; they are paired in their order. */
  duplicates: { a: number; b: number };
  /** Rows of both whose input columns differ; null where they were not compared, as datasets or keys are the same. */
  edited: number | null;
  /** Rows that have an answer in both runs. */
  compared: number;
  /** Those whose answer is another: by the typed columns where there are any, else by the answer itself. */
  changed: Share;
  /** Those whose text is another, be it in spelling alone; null of vectors. */
  reworded: number | null;
  newly_failed: { rows: number; causes: CauseCount[] };
  newly_mended: { rows: number; causes: CauseCount[] };
  failed_in_both: number;
  truncated: FlawDiff;
  refused: FlawDiff;
  /** Of rows that have an answer in both; null where nothing is counted. */
  characters: NumberDiff | null;
  input_tokens: NumberDiff | null;
  output_tokens: NumberDiff | null;
  columns: ColumnDiff[];
  distances: DistanceDiff | null;
  telling: TellingPair[];
}

/** Causes that are told. */
const MOST_CAUSES = 20;

/** Compares the rows of two results. In memory it has 1 GB at most; images and pairs of rows go to the directory. */
export async function compareResults(request: ComparisonRequest): Promise<ResultComparison> {
  const { a, b, key, inputs, typed, isEmbedding, directory } = request;
  await using db = await openDuckDb({
    memoryMb: COMPARE_MEMORY_MB,
    threads: 2,
    scratchDirectory: join(directory, 'spill'),
  });
  const columns = sharedColumnsOf(typed, [await describeSide(db, a), await describeSide(db, b)]);
  const image: ImageRequest = { key, inputs, columns, isEmbedding };
  const paths: Record<'a' | 'b', string[]> = { a: [], b: [] };
  for (const [name, side] of [
    ['a', a],
    ['b', b],
  ] as const) {
    const folder = join(directory, name);
    await mkdir(folder, { recursive: true });
    paths[name] = await writeImages(db, side, { ...image, directory: folder });
  }
  const { from, duplicates } = await pairRows(db, { ...image, ...paths, directory });
  const counts = await readCounts(db, from);
  const vectors = isEmbedding ? await compareEmbeddings(db, { from, a, b, directory }) : undefined;
  const compared = counts.compared;
  const diffs: ColumnDiff[] = [];
  for (const [index, column] of columns.entries()) {
    diffs.push(await compareColumn(db, { from, column, index, compared }));
  }
  const sizes = async (name: string) =>
    (await compareNumbers(db, { from: `${from} WHERE compared`, a: `a_${name}`, b: `b_${name}` })) ?? null;
  return {
    in_both: counts.in_both,
    only_in_a: counts.only_in_a,
    only_in_b: counts.only_in_b,
    duplicates,
    edited: inputs === undefined ? null : counts.edited,
    compared,
    changed: shareOf(vectors?.changed ?? counts.changed, compared),
    reworded: isEmbedding ? null : counts.reworded,
    newly_failed: {
      rows: counts.newly_failed,
      causes: await readCauses(db, { from, condition: 'a_ok AND NOT b_ok', cause: 'b_error' }),
    },
    newly_mended: {
      rows: counts.newly_mended,
      causes: await readCauses(db, { from, condition: 'b_ok AND NOT a_ok', cause: 'a_error' }),
    },
    failed_in_both: counts.failed_in_both,
    truncated: flawOf(counts, 'truncated'),
    refused: flawOf(counts, 'refused'),
    characters: isEmbedding ? null : await sizes('characters'),
    input_tokens: await sizes('input_tokens'),
    output_tokens: await sizes('output_tokens'),
    columns: diffs,
    distances: vectors?.distances ?? null,
    telling: await chooseTelling(db, { from, columns, distances: vectors?.from }),
  };
}

const COUNTS = {
  in_both: 'met',
  only_in_a: 'b_place IS NULL',
  only_in_b: 'a_place IS NULL',
  edited: 'edited',
  compared: 'compared',
  changed: 'changed',
  reworded: 'reworded',
  newly_failed: 'met AND a_ok AND NOT b_ok',
  newly_mended: 'met AND b_ok AND NOT a_ok',
  failed_in_both: 'met AND NOT a_ok AND NOT b_ok',
  ...flawCounts('truncated'),
  ...flawCounts('refused'),
};
type Counts = Record<keyof typeof COUNTS, number>;

function flawCounts<Flaw extends 'truncated' | 'refused'>(
  flaw: Flaw,
): Record<`${Flaw}_${'a' | 'b' | 'newly' | 'no_longer'}`, string> {
  return {
    [`${flaw}_a`]: `a_${flaw}`,
    [`${flaw}_b`]: `b_${flaw}`,
    [`${flaw}_newly`]: `met AND b_${flaw} AND NOT a_${flaw}`,
    [`${flaw}_no_longer`]: `met AND a_${flaw} AND NOT b_${flaw}`,
  } as Record<`${Flaw}_${'a' | 'b' | 'newly' | 'no_longer'}`, string>;
}

function flawOf(counts: Counts, flaw: 'truncated' | 'refused'): FlawDiff {
  return {
    a: counts[`${flaw}_a`],
    b: counts[`${flaw}_b`],
    newly: counts[`${flaw}_newly`],
    no_longer: counts[`${flaw}_no_longer`],
  };
}

async function readCounts(db: DuckDb, from: string): Promise<Counts> {
  const counted = Object.entries(COUNTS).map(
    ([name, condition]) => `CAST(count(*) FILTER (${condition}) AS DOUBLE) AS ${name}`,
  );
  const found = await db.row(`SELECT ${counted.join(', ')} FROM ${from}`);
  return Object.fromEntries(Object.keys(COUNTS).map((name) => [name, Number(found[name])])) as Counts;
}

async function readCauses(
  db: DuckDb,
  { from, condition, cause }: { from: string; condition: string; cause: string },
): Promise<CauseCount[]> {
  const found = await db.rows(`SELECT ${guardedSql(cause)} AS error_code, CAST(count(*) AS DOUBLE) AS "rows"
    FROM ${from} WHERE met AND ${condition} GROUP BY ${cause} ORDER BY "rows" DESC, ${cause} LIMIT ${MOST_CAUSES}`);
  return found.map(({ error_code, rows }) => ({ error_code: unguarded(error_code), rows: Number(rows) }));
}
