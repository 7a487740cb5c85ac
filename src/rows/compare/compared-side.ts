import { join } from 'node:path';
import type { Column } from '../../core/plan/part.ts';
import { columnText } from '../duckdb/column-text.ts';
import { type DuckDb, sqlName } from '../duckdb/duckdb.ts';
import { copyToParquet, readParquetColumns, readParquetSql } from '../duckdb/parquet.ts';
import { makeRoomForColumns } from '../duckdb/wide-rows.ts';
import { type GivenColumn, readGivenColumns } from '../parquet/column-renaming.ts';
import { fetchColumns, openResult, type ResultFile } from '../results/read-results.ts';
import { REFUSED_SQL, TRUNCATED_SQL } from '../results/scan-results.ts';
import type { SharedColumn } from './shared-columns.ts';

/** What DuckDB may use for a comparison; what is more goes to the scratch directory. */
export const COMPARE_MEMORY_MB = 1_024;
/** A row's place as one number: its file, and its row there. */
export const FILE_ROWS = 2 ** 32;
/** Bytes of a row's image, roughly, without its typed columns. */
const IMAGE_BYTES = 60;
/** Characters of a text that are kept to be shown; texts are compared by their digests. */
const TEXT_CHARACTERS = 80;

/** The results of one of the two runs. */
export interface ComparedSide {
  files: readonly ResultFile[];
  outputColumn: string;
}

/** What rows of both are joined by: ids that are the same in both, or what is in the columns of the dataset. */
export type RowKey = { kind: 'record_id' } | { kind: 'content'; columns: readonly string[] };

/** What is read of a side's rows. */
export interface ImageRequest {
  key: RowKey;
  /** Columns of the dataset that rows with the same id may differ in; undefined where they are known to be the same. */
  inputs: readonly string[] | undefined;
  columns: readonly SharedColumn[];
  /** True where answers are lists of numbers, which are compared later. */
  isEmbedding: boolean;
}

/** The columns of a side's results, by its first file; none where there is no file. */
export async function describeSide(db: DuckDb, { files: [first] }: ComparedSide): Promise<Column[]> {
  if (first === undefined) return [];
  await using file = await openResult(first);
  return await readParquetColumns(db, file.path);
}

/**
 * Writes of each row what it is compared by: digests of key and answer, lengths, tokens, typed values; never the texts. Of files
 * that are not here, only the columns that it takes are fetched. The paths of what was written.
 */
export async function writeImages(
  db: DuckDb,
  side: ComparedSide,
  { directory, ...request }: ImageRequest & { directory: string },
): Promise<string[]> {
  const paths: string[] = [];
  for (const [index, source] of side.files.entries()) {
    await using file = await openResult(source);
    const columns = await readGivenColumns(db, file.path);
    await makeRoomForColumns(db, columns.length, COMPARE_MEMORY_MB);
    const { sql, reads } = imageSql(columns, { side, firstPlace: index * FILE_ROWS, ...request });
    await fetchColumns(db, file, reads);
    const path = join(directory, `${index}.parquet`);
    await copyToParquet(db, {
      sql: `SELECT ${sql} FROM ${readParquetSql(file.path)}`,
      path,
      compression: 'snappy',
      bytesPerRow: IMAGE_BYTES + 16 * request.columns.length,
      rowGroups: { rows: 122_880, bytes: 40_000_000 },
    });
    paths.push(path);
  }
  return paths;
}

interface ImagePlan extends ImageRequest {
  side: ComparedSide;
  firstPlace: number;
}

/** What is selected, and the columns that it is made of. */
function imageSql(
  columns: readonly GivenColumn[],
  { side, firstPlace, key, inputs, columns: shared, isEmbedding }: ImagePlan,
): { sql: string; reads: string[] } {
  const reads = new Set(['record_id', 'error_code', 'stop_reason', 'input_tokens', 'output_tokens']);
  const known = new Map(columns.map((column) => [column.given, column]));
  const read = (name: string, type = 'VARCHAR') => {
    reads.add(name);
    const column = known.get(name);
    return column === undefined ? `CAST(NULL AS ${type})` : sqlName(column.name);
  };
  const textOf = (name: string) => {
    reads.add(name);
    const column = known.get(name);
    return column === undefined ? 'CAST(NULL AS VARCHAR)' : columnText(column);
  };
  const contentOf = (names: readonly string[]) =>
    `md5_number(concat(${names.map((name) => `coalesce(md5(${textOf(name)}), '-')`).join(', ')}))`;
  const answer = isEmbedding ? undefined : textOf(side.outputColumn);
  const fields = [
    `${key.kind === 'content' ? contentOf(key.columns) : `md5_number(${textOf('record_id')})`} AS key`,
    ...(inputs === undefined ? [] : [`${contentOf(inputs)} AS input`]),
    `CAST(file_row_number + ${firstPlace} AS BIGINT) AS place`,
    'error_code IS NULL AS ok',
    'error_code AS error',
    `coalesce(${TRUNCATED_SQL}, false) AS truncated`,
    `coalesce(${REFUSED_SQL}, false) AS refused`,
    `CAST(${read('input_tokens', 'BIGINT')} AS BIGINT) AS input_tokens`,
    `CAST(${read('output_tokens', 'BIGINT')} AS BIGINT) AS output_tokens`,
    `${answer === undefined ? 'CAST(NULL AS BIGINT)' : `length(${answer})`} AS characters`,
    `${answer === undefined ? 'CAST(NULL AS UHUGEINT)' : `md5_number(${answer})`} AS answer`,
    ...shared.flatMap((column, index) => {
      if (column.kind !== 'text') return [`CAST(${read(column.name)} AS ${column.type}) AS c${index}`];
      const text = textOf(column.name);
      return [`left(${text}, ${TEXT_CHARACTERS}) AS c${index}`, `md5_number(${text}) AS d${index}`];
    }),
  ];
  return { sql: fields.join(', '), reads: [...reads] };
}
