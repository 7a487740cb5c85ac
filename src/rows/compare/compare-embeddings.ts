import { join } from 'node:path';
import { type DuckDb, sqlName } from '../duckdb/duckdb.ts';
import { copyToParquet, readParquetSql, readParquetsSql } from '../duckdb/parquet.ts';
import { fetchColumns, openResult, type RemoteResult } from '../results/read-results.ts';
import { readQuantiles, type ShiftQuantiles, steady } from './compare-numbers.ts';
import { type ComparedSide, FILE_ROWS } from './compared-side.ts';

/** How far vectors of the same rows are from each other: by cosine, from 0, the same direction, to 2, the opposite one. */
export interface DistanceDiff {
  /** Rows with a distance. */
  rows: number;
  /** Rows without one: vectors of other lengths, or of zeros alone. */
  without: number;
  mean: number;
  quantiles: ShiftQuantiles;
  /** Rows from `from` to below `to`; the last one has 2 too. */
  buckets: { from: number; to: number; rows: number }[];
}

/** The distances of paired rows, and how many vectors are other ones at all. */
export interface ComparedEmbeddings {
  changed: number;
  distances: DistanceDiff | null;
  /** SQL for `a_place`, `b_place` and `distance`. */
  from: string;
}

const EDGES = [0, 0.000_001, 0.000_01, 0.000_1, 0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 1, 2];

/** What is compared, and where the distances go. */
export interface EmbeddingRequest {
  /** SQL for the pairs. */
  from: string;
  a: ComparedSide;
  b: ComparedSide;
  directory: string;
}

/**
 * Compares the vectors of paired rows, one file of the first run after the other with those files of the second that have its
 * rows; each file is fetched once for as long as it is needed.
 */
export async function compareEmbeddings(db: DuckDb, request: EmbeddingRequest): Promise<ComparedEmbeddings> {
  const { from, a, b, directory } = request;
  const meetings =
    await db.rows(`SELECT DISTINCT CAST(a_place // ${FILE_ROWS} AS INTEGER) AS a, CAST(b_place // ${FILE_ROWS} AS INTEGER) AS b
    FROM ${from} WHERE compared ORDER BY a, b`);
  const ofA = Map.groupBy(meetings, (meeting) => Number(meeting.a));
  const lastNeeded = new Map(meetings.map((meeting) => [Number(meeting.b), Number(meeting.a)]));
  const open = new Map<number, RemoteResult>();
  const paths: string[] = [];
  try {
    for (const [fileA, met] of ofA) {
      await using left = await openVectors(db, a, fileA);
      const files = met.map((meeting) => Number(meeting.b));
      for (const file of files) if (!open.has(file)) open.set(file, await openVectors(db, b, file));
      const right = files.map((file) => vectorsSql(open.get(file)?.path ?? '', b, file));
      const path = join(directory, `distances-${fileA}.parquet`);
      await copyToParquet(db, {
        sql: distancesSql({
          pairs: `(SELECT a_place, b_place FROM ${from} WHERE compared AND a_place // ${FILE_ROWS} = ${fileA})`,
          left: vectorsSql(left.path, a, fileA),
          right: `(${right.join(' UNION ALL ')})`,
        }),
        path,
        compression: 'snappy',
        bytesPerRow: 24,
        rowGroups: { rows: 122_880, bytes: 40_000_000 },
      });
      paths.push(path);
      for (const [file, opened] of open) {
        if (lastNeeded.get(file) !== fileA) continue;
        open.delete(file);
        await opened[Symbol.asyncDispose]();
      }
    }
  } finally {
    for (const opened of open.values()) await opened[Symbol.asyncDispose]();
  }
  return readDistances(db, paths);
}

async function openVectors(db: DuckDb, side: ComparedSide, file: number): Promise<RemoteResult> {
  const source = side.files[file];
  if (source === undefined) throw new Error(`There is no result file ${file}.`);
  const opened = await openResult(source);
  await fetchColumns(db, opened, [side.outputColumn]);
  return opened;
}

function vectorsSql(path: string, { outputColumn }: ComparedSide, file: number): string {
  return `(SELECT CAST(file_row_number + ${file * FILE_ROWS} AS BIGINT) AS place, CAST(${sqlName(outputColumn)} AS FLOAT[]) AS vector FROM ${readParquetSql(path)})`;
}

function distancesSql({ pairs, left, right }: { pairs: string; left: string; right: string }): string {
  const hasDirection = (vector: string) => `list_dot_product(${vector}, ${vector}) > 0`;
  // Rounding makes equal vectors differ from themselves a little.
  return `SELECT a_place, b_place, x.vector IS DISTINCT FROM y.vector AS changed,
      CASE WHEN len(x.vector) = len(y.vector) AND ${hasDirection('x.vector')} AND ${hasDirection('y.vector')}
        THEN CASE WHEN x.vector = y.vector THEN 0 ELSE greatest(0, try(list_cosine_distance(x.vector, y.vector))) END END AS distance
    FROM ${pairs} JOIN ${left} AS x ON a_place = x.place JOIN ${right} AS y ON b_place = y.place`;
}

async function readDistances(db: DuckDb, paths: readonly string[]): Promise<ComparedEmbeddings> {
  if (paths.length === 0) {
    const from = '(SELECT 0 AS a_place, 0 AS b_place, CAST(NULL AS DOUBLE) AS distance WHERE false)';
    return { changed: 0, distances: null, from };
  }
  const from = readParquetsSql(paths);
  const { changed, rows, without, mean } =
    await db.row(`SELECT CAST(count(*) FILTER (changed) AS DOUBLE) AS changed, CAST(count(distance) AS DOUBLE) AS "rows",
      CAST(count(*) - count(distance) AS DOUBLE) AS without, avg(distance) AS mean FROM ${from}`);
  if (Number(rows) === 0) return { changed: Number(changed), distances: null, from };
  const counted = EDGES.slice(0, -1).map((edge, index) => {
    const to = EDGES[index + 1] ?? 2;
    return `CAST(count(*) FILTER (distance >= ${edge} AND distance ${to === 2 ? '<=' : '<'} ${to}) AS DOUBLE) AS b${index}`;
  });
  const buckets = await db.row(`SELECT ${counted.join(', ')} FROM ${from}`);
  return {
    changed: Number(changed),
    from,
    distances: {
      rows: Number(rows),
      without: Number(without),
      mean: steady(mean),
      quantiles: await readQuantiles(db, {
        from: `(SELECT distance FROM ${from} WHERE distance IS NOT NULL)`,
        value: 'distance',
        rows: Number(rows),
      }),
      buckets: EDGES.slice(0, -1).map((edge, index) => ({
        from: edge,
        to: EDGES[index + 1] ?? 2,
        rows: Number(buckets[`b${index}`]),
      })),
    },
  };
}
