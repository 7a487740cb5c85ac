import type { RunDiff } from './run-diff.ts';

/** What whoever reads the numbers should know, of what the runs are and of how their rows were joined. */
export function notesOf(diff: RunDiff, typed: { a: readonly string[]; b: readonly string[] }): string[] {
  const { a, b } = diff;
  if (a.run_id === b.run_id) return [`Run ${a.run_id} is compared with itself: nothing can differ.`];
  return [...rowNotes(diff), ...answerNotes(diff, typed)];
}

function rowNotes({ a, b, joined_by, duplicates, edited, only_in_a, only_in_b }: RunDiff): string[] {
  const notes: string[] = [];
  const same = joined_by.kind === 'content' ? 'content' : 'id';
  if (duplicates.a > 0 || duplicates.b > 0) {
    notes.push(
      `${rows(duplicates.a)} of ${a.run_id} and ${rows(duplicates.b)} of ${b.run_id} have the ${same} of an earlier row of their run: the first is compared with the first, the second with the second, and so on. Which belongs to which is not known.`,
    );
  }
  if (edited !== null && edited > 0) {
    notes.push(
      `${rows(edited)} ${edited === 1 ? 'has' : 'have'} the same id but other input columns: their answers may differ because of that.`,
    );
  }
  const isAllApart = only_in_a === a.rows.total && only_in_b === b.rows.total;
  if (isAllApart)
    notes.push(
      'No row is in both runs: the datasets, or the columns that they are joined by, have nothing in common.',
    );
  return notes;
}

function answerNotes(
  { a, b, compared_by, columns, reworded, changed }: RunDiff,
  typed: { a: readonly string[]; b: readonly string[] },
): string[] {
  const notes: string[] = [];
  for (const run of [a, b]) {
    if (run.simulated) notes.push(`The answers of ${run.run_id} are simulated: no model was asked.`);
    const { reused = 0 } = run.rows;
    if (reused > 0) {
      notes.push(
        `${rows(reused)} of ${run.run_id} ${reused === 1 ? 'has' : 'have'} the answer of a former run: its dollars are of the others alone.`,
      );
    }
  }
  if (compared_by === 'vectors' && a.model_id !== b.model_id) {
    notes.push(
      `The vectors are of ${a.model_id} and of ${b.model_id}. Each model has a space of its own: distances between vectors of two of them say little.`,
    );
  }
  const shared = new Set(columns.map(({ name }) => name));
  for (const [run, names] of [
    [a, typed.a],
    [b, typed.b],
  ] as const) {
    const alone = names.filter((name) => !shared.has(name));
    if (alone.length > 0)
      notes.push(`Typed columns of ${run.run_id} alone, which are not compared: ${alone.join(', ')}.`);
  }
  if (compared_by === 'columns' && reworded !== null && reworded > changed.rows) {
    notes.push(
      `${rows(reworded)} ${reworded === 1 ? 'has' : 'have'} another text; of an answer with typed columns its values count, not how it is spelled.`,
    );
  }
  return notes;
}

function rows(count: number): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? 'row' : 'rows'}`;
}
