import { InvalidDatasetError } from '../../core/errors.ts';
import type { Column } from '../../core/part.ts';
import type { LocalDatasetFile } from './describe-dataset.ts';

/** Throws InvalidDatasetError where a column has no name, a name of Quarry’s own, or one that another has. */
export function checkNames(files: readonly LocalDatasetFile[], columns: readonly Column[]): void {
  const where = files[0]?.uri;
  const seen = new Map<string, string>();
  for (const { name } of columns) {
    const folded = name.toLowerCase();
    const twin = seen.get(folded);
    if (name.trim() === '') {
      throw new InvalidDatasetError(`${where} has a column without a name. Give every column a name.`);
    }
    if (twin !== undefined) {
      const same =
        twin === name
          ? `two columns named "${name}"`
          : `columns "${twin}" and "${name}", the same but for capitals`;
      throw new InvalidDatasetError(`${where} has ${same}. Rename one.`);
    }
    if (folded.startsWith('__quarry_') || folded === 'file_row_number' || name.includes('\0')) {
      throw new InvalidDatasetError(
        `${where} has a column ${JSON.stringify(name)}, a name that Quarry needs itself. Rename it.`,
      );
    }
    seen.set(folded, name);
  }
}
