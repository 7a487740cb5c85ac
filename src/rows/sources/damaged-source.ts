import { InvalidDatasetError } from '../../core/errors.ts';
import { isUnreadableContent } from '../duckdb/duckdb.ts';

/**
 * Reads rows of a file, which `name` is. Throws InvalidDatasetError, with the name, where DuckDB cannot read what the file has in
 * it: what it says of that is of use to its developers only, and is the cause.
 */
export async function readingRows<T>(name: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!isUnreadableContent(error)) throw error;
    throw new InvalidDatasetError(
      `${name} is damaged, or written in a way that Quarry does not read: its values cannot be unpacked. Have it written or downloaded again.`,
      { cause: error },
    );
  }
}
