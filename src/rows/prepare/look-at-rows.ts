import { join } from 'node:path';
import { columnGiven, givenName } from '../../core/plan/names-apart.ts';
import type { Dataset } from '../../core/plan/part.ts';
import type { RecordFrame } from '../../models/record-frame.ts';
import { sqlName, sqlText } from '../duckdb/duckdb.ts';
import { readingRows } from '../sources/damaged-source.ts';
import { firstRows, inScratch } from '../sources/dataset-rows.ts';
import type { LocalDatasetFile } from '../sources/describe-dataset.ts';
import { MAX_SAMPLED_MEDIA, MAX_SAMPLED_ROWS, sampleReads } from '../sources/prompt-sample.ts';
import { openRelations, type SourceRelation } from '../sources/source-relation.ts';
import { columnsRead, promptsSql, recordIdSql } from './record-sql.ts';

/** A row that would be sent. */
export interface SeenRow {
  /** Its global number, from 0. */
  row: number;
  record_id: string;
  /** The strings that its record has of it, in the order of the frame. */
  strings: string[];
}

/** Rows that would not be sent, as these columns are null in them. */
export interface UnsentRows {
  columns: string[];
  rows: number;
  /** Numbers of the first of them. */
  first_rows: number[];
}

/** What was seen of a dataset's rows. */
export interface SeenRows {
  /** The first rows that would be sent. */
  first: SeenRow[];
  /** Others all over the rows that were looked at, the same each time; very long strings are cut. */
  sample: SeenRow[];
  /** The most frequent first. */
  unsent: UnsentRows[];
  /** How many rows were looked at for nulls. */
  lookedAt: number;
}

/** What is to be looked at. */
export interface LookRequest {
  frame: RecordFrame;
  recordIdColumn: string | undefined;
  /** The first rows of the dataset, which are those that are run. */
  rows: number;
  /** How many first rows are wanted, and how many of the sample. */
  first: number;
  sample: number;
  /** True: every row is looked at for nulls, and not the first ten thousand only. */
  isWhole: boolean;
}

/** Characters that a string of the sample has at most. */
export const MAX_SAMPLED_CHARACTERS = 20_000;
/** First rows of each kind of unsent ones. */
const FIRST_UNSENT = 3;

/** Looks at rows of a dataset as Prepare would make records of them. */
export async function lookAtRows(
  files: readonly LocalDatasetFile[],
  dataset: Dataset,
  request: LookRequest,
): Promise<SeenRows> {
  const run: Dataset = { ...dataset, ...firstOf(dataset, request.rows) };
  // Images may well lie in the dataset itself.
  const most = request.frame.media === undefined ? MAX_SAMPLED_ROWS : MAX_SAMPLED_MEDIA;
  const reads = sampleReads(files, run, most);
  const needed = neededColumns(dataset, request);
  const sqlOf = (read: SourceRelation) => lookSql(read, dataset, request);
  return inScratch(async (db, scratchDirectory) => {
    const seen = createSeen(request);
    const read = async (
      what: { name: string; reads: typeof reads },
      take: (row: Record<string, unknown>) => void,
      sql: (read: SourceRelation) => string,
    ) => {
      const relations = openRelations({
        format: dataset.format,
        columns: needed,
        reads: what.reads,
        scratchPrefix: join(scratchDirectory, `${what.name}-`),
      });
      for await (const relation of relations) {
        await using held = relation;
        for (const row of await readingRows(db, held, () => db.rows(sql(held)))) take(row);
      }
    };
    await read({ name: 'look', reads }, seen.takeRows, sqlOf);
    if (!request.isWhole || run.rows <= most) return seen.result();
    const asked = columnsRead(request.frame, dataset.columns);
    if (mayBeNull(run, asked)) {
      seen.countAnew();
      await read({ name: 'count', reads: firstRows(files, run) }, seen.takeCounts, (relation) =>
        countSql(relation, dataset, request),
      );
    } else if (asked.length > 0) {
      seen.countNoMore(run.rows);
    }
    return seen.result();
  });
}

/** False where no value of these columns is null, whatever they are: what is empty in CSV is an empty text. */
function mayBeNull({ format, files }: Dataset, columns: readonly string[]): boolean {
  if (columns.length === 0) return false;
  return format !== 'csv' || files.some(({ drift = [] }) => drift.some(({ name }) => columns.includes(name)));
}

/** The dataset's first rows, as if it had no others. */
function firstOf({ files, rows }: Dataset, wanted: number): Pick<Dataset, 'files' | 'rows'> {
  let left = wanted;
  const taken = files.map((file) => {
    const rowsOfFile = Math.min(file.rows, left);
    left -= rowsOfFile;
    return { ...file, rows: rowsOfFile };
  });
  return { files: rows <= wanted ? files : taken, rows: Math.min(rows, wanted) };
}

/** The columns that records are made of; any one where they are made of none. */
function neededColumns({ columns }: Dataset, { frame, recordIdColumn }: LookRequest): string[] {
  const needed = new Set(columnsRead(frame, columns));
  const id = recordIdColumn === undefined ? undefined : columnGiven(columns, recordIdColumn);
  if (id !== undefined) needed.add(id.name);
  const [first] = columns;
  if (needed.size === 0 && first !== undefined) needed.add(first.name);
  return [...needed];
}

/** SQL for the columns that are null in a row, as a JSON list of their names. */
function nullColumnsSql(frame: RecordFrame, { columns }: Dataset): string {
  const names = columnsRead(frame, columns).map(
    (name) => `CASE WHEN ${sqlName(name)} IS NULL THEN ${sqlText(givenName(name))} END`,
  );
  return names.length === 0
    ? `'[]'`
    : `CAST(to_json(list_filter([${names.join(', ')}], lambda name: name IS NOT NULL)) AS VARCHAR)`;
}

/** SQL for the counts of rows by the columns that are null in them. */
function countSql({ from, rowNumber }: SourceRelation, dataset: Dataset, { frame }: LookRequest): string {
  return `SELECT nulls, CAST(count(*) AS DOUBLE) AS "rows", CAST(to_json(min(n, ${FIRST_UNSENT})) AS VARCHAR) AS first_rows
    FROM (SELECT ${nullColumnsSql(frame, dataset)} AS nulls, ${rowNumber} AS n FROM ${from}) GROUP BY nulls`;
}

/** The same, and the first rows and some others as they are. */
function lookSql({ from, rowNumber }: SourceRelation, dataset: Dataset, request: LookRequest): string {
  const { frame, recordIdColumn, first, sample } = request;
  const strings = promptsSql(frame, dataset.columns);
  const seen = (texts: readonly string[]) =>
    `{'row': n, 'record_id': record_id, 'strings': [${texts.join(', ')}]::VARCHAR[]}`;
  const names = strings.map((_, index) => `string_${index}`);
  const inner = [
    `${nullColumnsSql(frame, dataset)} AS nulls`,
    `${rowNumber} AS n`,
    `${recordIdSql(dataset.columns, { recordIdColumn, rowNumber })} AS record_id`,
    ...strings.map((sql, index) => `${sql} AS ${names[index]}`),
  ];
  const cut = names.map((name) => `left(${name}, ${MAX_SAMPLED_CHARACTERS})`);
  return `SELECT nulls, CAST(count(*) AS DOUBLE) AS "rows", CAST(to_json(min(n, ${FIRST_UNSENT})) AS VARCHAR) AS first_rows,
      CAST(to_json(min_by(${seen(names)}, n, ${first})) AS VARCHAR) AS first,
      CAST(to_json(min_by({'place': place, 'seen': ${seen(cut)}}, place, ${Math.max(1, sample)})) AS VARCHAR) AS sample
    FROM (SELECT *, ${PLACE_SQL} AS place FROM (SELECT ${inner.join(', ')} FROM ${from})) GROUP BY nulls`;
}

/** SQL for a number that shuffles the rows, the same each time. */
const PLACE_SQL = 'CAST(hash(n) % 1000000007 AS INTEGER)';

/** Gathers what relation after relation shows. */
function createSeen({ first: wantedFirst, sample: wantedSample }: LookRequest) {
  const first: SeenRow[] = [];
  const sample: { place: number; seen: SeenRow }[] = [];
  let counts = new Map<string, { rows: number; first_rows: number[] }>();
  const takeCounts = ({ nulls, rows, first_rows }: Record<string, unknown>) => {
    const known = counts.get(String(nulls)) ?? { rows: 0, first_rows: [] };
    counts.set(String(nulls), {
      rows: known.rows + Number(rows),
      first_rows: [...known.first_rows, ...(JSON.parse(String(first_rows)) as number[])].slice(
        0,
        FIRST_UNSENT,
      ),
    });
  };
  return {
    takeCounts,
    takeRows: (row: Record<string, unknown>) => {
      takeCounts(row);
      if (row.nulls !== '[]') return;
      first.push(...(JSON.parse(String(row.first)) as SeenRow[]));
      first.splice(wantedFirst);
      sample.push(...(JSON.parse(String(row.sample)) as typeof sample));
      sample.sort((a, b) => a.place - b.place || a.seen.row - b.seen.row).splice(wantedSample);
    },
    countAnew: () => {
      counts = new Map();
    },
    countNoMore: (rows: number) => {
      counts = new Map([['[]', { rows, first_rows: [] }]]);
    },
    result: (): SeenRows => ({
      first,
      sample: sample.map(({ seen }) => seen),
      unsent: [...counts]
        .filter(([nulls]) => nulls !== '[]')
        .map(([nulls, found]) => ({ columns: JSON.parse(nulls) as string[], ...found }))
        .sort((a, b) => b.rows - a.rows || (a.columns.join() < b.columns.join() ? -1 : 1)),
      lookedAt: [...counts.values()].reduce((sum, { rows }) => sum + rows, 0),
    }),
  };
}
