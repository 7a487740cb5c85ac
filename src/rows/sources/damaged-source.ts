import { InvalidDatasetError } from '../../core/errors.ts';
import { type DuckDb, isUnreadableContent } from '../duckdb/duckdb.ts';
import type { SourceRelation } from './source-relation.ts';

/**
 * Reads rows of files. Throws InvalidDatasetError, with the file's name, where DuckDB cannot read what it has in it: what DuckDB
 * says of that is of use to its developers only, and is the cause.
 */
export async function readingRows<T>(
  db: DuckDb,
  { name, members = [] }: Pick<SourceRelation, 'name' | 'members'>,
  read: () => Promise<T>,
): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!isUnreadableContent(error)) throw error;
    throw new InvalidDatasetError(
      `${(await damagedAmong(db, members)) ?? name} is damaged, or written in a way that Quarry does not read: its values cannot be unpacked. Have it written or downloaded again.`,
      { cause: error },
    );
  }
}

/** The first file of which DuckDB cannot read every value. */
async function damagedAmong(
  db: DuckDb,
  members: NonNullable<SourceRelation['members']>,
): Promise<string | undefined> {
  for (const { name, sql } of members) {
    const isRead = await db.row(`SELECT count(hash(read)) AS "rows" FROM (${sql}) AS read`).then(
      () => true,
      (error: unknown) => !isUnreadableContent(error),
    );
    if (!isRead) return name;
  }
  return undefined;
}
