import { InvalidDatasetError } from '../../core/errors.ts';
import type { Column } from '../../core/plan/part.ts';
import type { SourceFile } from '../bytes/source-bytes.ts';
import { type DuckDb, guardedSql, sqlPath, unguarded } from '../duckdb/duckdb.ts';
import { readParquetColumns } from '../duckdb/parquet.ts';

/** What a Parquet file's footer says of its content. */
export interface ParquetFooter {
  columns: Column[];
  rows: number;
}

/** Files whose footers one statement reads. */
const FILES_AT_ONCE = 100;

/** Reads the footers of any number of files; throws InvalidDatasetError with the name of one that has none. */
export async function readParquetFooters(db: DuckDb, files: readonly SourceFile[]): Promise<ParquetFooter[]> {
  const footers: ParquetFooter[] = [];
  // Files of one dataset mostly have one schema, which is looked at once.
  const columnsOf = new Map<string, Promise<Column[]>>();
  for (let at = 0; at < files.length; at += FILES_AT_ONCE) {
    const some = files.slice(at, at + FILES_AT_ONCE);
    const summaries = await readSummaries(db, some);
    for (const file of some) {
      const { schema, rows } = summaries.get(file.path) ?? (await readSummary(db, file));
      const columns = columnsOf.get(schema) ?? readColumns(db, file);
      columnsOf.set(schema, columns);
      footers.push({ columns: await columns, rows });
    }
  }
  return footers;
}

interface FooterSummary {
  /** Two files with the same one have the same columns. */
  schema: string;
  rows: number;
}

/** Summaries by path; none where one of the files has no footer, since DuckDB does not say which. */
async function readSummaries(db: DuckDb, files: readonly SourceFile[]): Promise<Map<string, FooterSummary>> {
  const paths = [...new Set(files.map(({ path }) => path))];
  const list = `[${paths.map(sqlPath).join(', ')}]`;
  const summaries = new Map<string, FooterSummary>();
  try {
    const counts = await db.rows(
      `SELECT file_name, CAST(num_rows AS DOUBLE) AS "rows" FROM parquet_file_metadata(${list})`,
    );
    const schemas = Map.groupBy(await db.rows(`SELECT * FROM parquet_schema(${list})`), ({ file_name }) =>
      String(file_name),
    );
    for (const { file_name, rows } of counts) {
      const path = String(file_name);
      const schema = JSON.stringify(schemas.get(path), (key, value) => (key === 'file_name' ? '' : value));
      summaries.set(path, { schema, rows: Number(rows) });
    }
  } catch {
    return new Map();
  }
  return summaries;
}

async function readSummary(db: DuckDb, file: SourceFile): Promise<FooterSummary> {
  return named(file, async () => {
    const { rows } = await db.row(
      `SELECT CAST(num_rows AS DOUBLE) AS "rows" FROM parquet_file_metadata(${sqlPath(file.path)})`,
    );
    return { schema: file.path, rows: Number(rows) };
  });
}

async function readColumns(db: DuckDb, file: SourceFile): Promise<Column[]> {
  const { path, uri } = file;
  const { names, columns } = await named(file, async () => ({
    names: await db.rows(
      `SELECT ${guardedSql('name')} AS guarded FROM parquet_schema(${sqlPath(path)}) WHERE name IS NOT NULL OFFSET 1`,
    ),
    columns: await readParquetColumns(db, path),
  }));
  // DuckDB renames the second of two columns whose names differ in case only.
  const renamed = columns.find(({ name }) => !names.some(({ guarded }) => unguarded(guarded) === name));
  if (renamed !== undefined) {
    throw new InvalidDatasetError(
      `${uri} has two columns whose names are the same but for capitals (${renamed.name}). Rename one.`,
    );
  }
  return columns;
}

async function named<T>({ uri }: SourceFile, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n', 1);
    throw new InvalidDatasetError(`${uri} cannot be read as Parquet: ${line}`, { cause: error });
  }
}
