import { type DuckDb, guardedSql, unguarded } from '../duckdb/duckdb.ts';

/** A line of what DuckDB tells of a Parquet file's schema. */
export type SchemaRow = Record<string, unknown>;

/** What one place of a footer says of another, for a message; undefined where the counts of rows agree. */
export type CountsLie = string | undefined;

/** Paths of columns of which a row has exactly one value, as `parquet_metadata` spells them: neither of them is in a list. */
function singleLeaves(schema: readonly SchemaRow[]): Set<string> {
  const leaves = new Set<string>();
  let at = 1;
  const visit = (before: readonly string[], isListed: boolean): void => {
    const { guarded, num_children: children, repetition_type: repetition } = schema[at] ?? {};
    at += 1;
    const path = [...before, unguarded(guarded)];
    const isInList = isListed || repetition === 'REPEATED';
    if (Number(children ?? 0) === 0) {
      if (!isInList) leaves.add(path.join(', '));
      return;
    }
    for (let child = 0; child < Number(children) && at < schema.length; child++) visit(path, isInList);
  };
  while (at < schema.length) visit([], false);
  return leaves;
}

/**
 * Holds what footers say of their rows against itself, for each file by its path: the file, its row groups and their columns
 * have counts of their own, and readers go by different ones. `list` is SQL for the files.
 */
export async function findCountLies(
  db: DuckDb,
  list: string,
  schemas: ReadonlyMap<string, readonly SchemaRow[]>,
): Promise<Map<string, CountsLie>> {
  const lies = new Map<string, CountsLie>();
  const totals =
    await db.rows(`SELECT files.file_name, CAST(files.num_rows AS DOUBLE) AS stated, CAST(coalesce(groups.counted, 0) AS DOUBLE) AS counted
    FROM parquet_file_metadata(${list}) AS files LEFT JOIN (
      SELECT file_name, sum(group_rows) AS counted FROM (
        SELECT file_name, row_group_id, any_value(row_group_num_rows) AS group_rows FROM parquet_metadata(${list}) GROUP BY ALL
      ) GROUP BY file_name
    ) AS groups USING (file_name) WHERE files.num_rows <> coalesce(groups.counted, 0)`);
  for (const { file_name, stated, counted } of totals) {
    lies.set(String(file_name), `${stated} rows in the file, but ${counted} in its row groups`);
  }
  const others =
    await db.rows(`SELECT file_name, CAST(row_group_id AS DOUBLE) AS "group", ${guardedSql('path_in_schema')} AS guarded,
      CAST(row_group_num_rows AS DOUBLE) AS stated, CAST(num_values AS DOUBLE) AS counted
    FROM parquet_metadata(${list}) WHERE num_values <> row_group_num_rows ORDER BY file_name, row_group_id, column_id`);
  const leaves = new Map([...schemas].map(([path, schema]) => [path, singleLeaves(schema)]));
  for (const { file_name, group, guarded, stated, counted } of others) {
    const path = String(file_name);
    const column = unguarded(guarded);
    // A list has more values than rows, or as many where all are empty.
    const isLie = leaves.get(path)?.has(column) === true || Number(counted) < Number(stated);
    if (!isLie || lies.has(path)) continue;
    lies.set(path, `${stated} rows in row group ${group}, but ${counted} values of its column ${column}`);
  }
  return lies;
}
