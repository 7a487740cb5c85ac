import { InvalidDatasetError } from '../../core/errors.ts';
import { foldName } from '../../core/plan/names-apart.ts';
import type { Column, DatasetFormat } from '../../core/plan/part.ts';
import { privately } from '../../core/text/private-text.ts';

/** The names of a CSV file's columns: those of its header, and `column0`, by its place, of one that has none. */
export function namedColumns(header: readonly string[], columns = header.length): string[] {
  return Array.from({ length: columns }, (_, index) => header[index] || `column${index}`);
}

/** What to do about names of CSV, beside renaming. */
const WITHOUT_NAMES =
  ' Or read the file without names: csv_header false (--csv-header false), with csv_skip 1 (--csv-skip 1) where its first line has names.';

/** Throws InvalidDatasetError where a column has no name, a name of Quarry’s own, or one that another has. */
export function checkNames(where: string, columns: readonly Column[], format: DatasetFormat): void {
  const seen = new Set<string>();
  for (const { name } of columns) {
    const folded = foldName(name);
    if (name === '') {
      throw new InvalidDatasetError(`${where} has a column without a name. Give every column a name.`);
    }
    if (seen.has(name)) {
      throw new InvalidDatasetError(
        `${where} has two columns named ${privately(JSON.stringify(name))}. Rename one.${format === 'csv' ? WITHOUT_NAMES : ''}`,
      );
    }
    if (!name.isWellFormed() || name.includes('\0')) {
      throw new InvalidDatasetError(
        `${where} has a column ${privately(JSON.stringify(name))}, a name with ${name.includes('\0') ? 'a NUL' : 'half a character'} in it, which no Parquet file could give back. Rename it.`,
      );
    }
    if (folded.startsWith('__quarry_') || folded === 'file_row_number') {
      throw new InvalidDatasetError(
        `${where} has a column ${privately(JSON.stringify(name))}, a name that Quarry needs itself. Rename it.`,
      );
    }
    seen.add(name);
  }
}
