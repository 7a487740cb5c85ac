import { InvalidRunInputError } from '../../core/errors.ts';
import { givenName } from '../../core/plan/names-apart.ts';
import type { RunPlan } from '../../core/plan/run-plan.ts';
import type { JoinedBy } from './run-diff.ts';

/** What a user may ask rows to be joined by. */
export type JoinWish = 'id' | 'content';

/**
 * How the rows of two runs belong together: by the ids that the same column gives both, or by their numbers where the datasets are
 * the same files; else by what is in the columns that both have. Throws InvalidRunInputError where that cannot be.
 */
export function chooseJoin(a: RunPlan, b: RunPlan, wish?: JoinWish): JoinedBy {
  const [idA, idB] = [idColumnOf(a), idColumnOf(b)];
  if (wish === 'content') return byContent(a, b);
  if (idA !== undefined && idA === idB) return { kind: 'record_id', column: idA };
  if (idA !== undefined && idB !== undefined) {
    throw new InvalidRunInputError(
      `Run "${a.run_id}" has its record ids from the column "${idA}", and run "${b.run_id}" from "${idB}": they cannot be the ids of the same rows. Join by what is in the columns that both have: --by content.`,
    );
  }
  const areNumbered = idA === undefined && idB === undefined;
  if (areNumbered && isSameDataset(a, b)) return { kind: 'record_id', column: null };
  if (wish === undefined) return byContent(a, b);
  throw new InvalidRunInputError(
    areNumbered
      ? `The rows of "${a.run_id}" and "${b.run_id}" are numbered, and of other files: the same number may be another row. Join by what is in the columns that both have: --by content.`
      : `Of "${a.run_id}" and "${b.run_id}", only "${idA === undefined ? b.run_id : a.run_id}" has record ids of a column, "${idA ?? idB}". Join by what is in the columns that both have: --by content.`,
  );
}

/** True where both runs are of the same files. */
export function isSameDataset(a: RunPlan, b: RunPlan): boolean {
  const filesOf = ({ dataset }: RunPlan) =>
    JSON.stringify(dataset.files.map(({ uri, bytes, etag, rows }) => [uri, bytes, etag, rows]));
  return filesOf(a) === filesOf(b);
}

/** Columns of the dataset that both have, in the order of the first. */
export function sharedInputs(a: RunPlan, b: RunPlan): string[] {
  const ofB = new Set(b.dataset.columns.map(({ name }) => givenName(name)));
  return a.dataset.columns.map(({ name }) => givenName(name)).filter((name) => ofB.has(name));
}

/** The column that gives a run's record ids; undefined where rows are numbered. */
function idColumnOf({ input, record_id_column }: RunPlan): string | undefined {
  return typeof input.record_id_column === 'string' ? input.record_id_column : record_id_column;
}

function byContent(a: RunPlan, b: RunPlan): JoinedBy {
  const columns = sharedInputs(a, b);
  if (columns.length > 0) return { kind: 'content', columns };
  const namesOf = ({ dataset }: RunPlan) => dataset.columns.map(({ name }) => givenName(name)).join(', ');
  throw new InvalidRunInputError(
    `The datasets of "${a.run_id}" (${namesOf(a)}) and "${b.run_id}" (${namesOf(b)}) have no column in common: nothing says which rows are the same. Give both runs a record_id_column of the same ids.`,
  );
}
