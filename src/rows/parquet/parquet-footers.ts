import { InvalidDatasetError } from '../../core/errors.ts';
import type { Column } from '../../core/plan/part.ts';
import { privately } from '../../core/text/private-text.ts';
import type { SourceFile } from '../bytes/source-bytes.ts';
import { type DuckDb, guardedSql, sqlPath, unguarded } from '../duckdb/duckdb.ts';
import { readParquetColumns } from '../duckdb/parquet.ts';
import { findCountLies, type SchemaRow } from './footer-counts.ts';

/** What a Parquet file's footer says of its content. */
export interface ParquetFooter {
  columns: Column[];
  rows: number;
}

/** Files whose footers one statement reads. */
const FILES_AT_ONCE = 100;

/**
 * Reads the footers of any number of files. Throws InvalidDatasetError with the name of one that has none, or whose counts of
 * rows do not agree: some readers would go by one of them, and some by another.
 */
export async function readParquetFooters(db: DuckDb, files: readonly SourceFile[]): Promise<ParquetFooter[]> {
  const footers: ParquetFooter[] = [];
  // Files of one dataset mostly have one schema, which is looked at once.
  const columnsOf = new Map<string, Promise<Column[]>>();
  for (let at = 0; at < files.length; at += FILES_AT_ONCE) {
    const some = files.slice(at, at + FILES_AT_ONCE);
    // Where one of several files has no footer, DuckDB does not say which.
    const summaries = await readSummaries(db, some).catch(() => undefined);
    for (const file of some) {
      const summary =
        summaries?.get(file.path) ??
        (await named(file, async () => (await readSummaries(db, [file])).get(file.path)));
      if (summary === undefined) throw new Error(`DuckDB tells nothing of ${file.path}.`);
      const { schema, rows, lie } = summary;
      if (lie !== undefined) {
        throw new InvalidDatasetError(
          `${file.uri} contradicts itself: its footer tells of ${lie}. Have it written again by what made it.`,
        );
      }
      const key = JSON.stringify(schema, (name, value) => (name === 'file_name' ? '' : value));
      const columns = columnsOf.get(key) ?? readColumns(db, file, schema);
      columnsOf.set(key, columns);
      footers.push({ columns: await columns, rows });
    }
  }
  return footers;
}

interface FooterSummary {
  /** Two files with the same one have the same columns. */
  schema: readonly SchemaRow[];
  rows: number;
  /** Which counts of rows contradict each other. */
  lie: string | undefined;
}

/** Summaries by path. */
async function readSummaries(db: DuckDb, files: readonly SourceFile[]): Promise<Map<string, FooterSummary>> {
  const paths = [...new Set(files.map(({ path }) => path))];
  const list = `[${paths.map(sqlPath).join(', ')}]`;
  const counts = await db.rows(
    `SELECT file_name, CAST(num_rows AS DOUBLE) AS "rows" FROM parquet_file_metadata(${list})`,
  );
  const schemas = Map.groupBy(
    await db.rows(`SELECT * EXCLUDE (name), ${guardedSql('name')} AS guarded FROM parquet_schema(${list})`),
    ({ file_name }) => String(file_name),
  );
  const lies = await findCountLies(db, list, schemas);
  return new Map(
    counts.map(({ file_name, rows }) => {
      const path = String(file_name);
      return [path, { schema: schemas.get(path) ?? [], rows: Number(rows), lie: lies.get(path) }];
    }),
  );
}

async function readColumns(db: DuckDb, file: SourceFile, schema: readonly SchemaRow[]): Promise<Column[]> {
  const columns = await named(file, () => readParquetColumns(db, file.path));
  const names = new Set(schema.slice(1).map(({ guarded }) => unguarded(guarded)));
  // DuckDB renames the second of two columns whose names differ in case only.
  const renamed = columns.find(({ name }) => !names.has(name));
  if (renamed !== undefined) {
    throw new InvalidDatasetError(
      `${file.uri} has two columns whose names are the same but for capitals (${privately(renamed.name)}). Rename one.`,
    );
  }
  return columns;
}

async function named<T>({ uri }: SourceFile, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n', 1);
    throw new InvalidDatasetError(`${uri} cannot be read as Parquet: ${privately(line)}`, { cause: error });
  }
}
