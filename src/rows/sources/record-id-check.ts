import { join } from 'node:path';
import { InvalidRunInputError } from '../../core/errors.ts';
import { columnGiven, givenName } from '../../core/plan/names-apart.ts';
import type { Dataset } from '../../core/plan/part.ts';
import { privately } from '../../core/text/private-text.ts';
import { columnText } from '../duckdb/column-text.ts';
import { readingRows } from './damaged-source.ts';
import { firstRows, inScratch } from './dataset-rows.ts';
import type { LocalDatasetFile } from './describe-dataset.ts';
import { openRelations } from './source-relation.ts';

/** Longest record id that a column may give, in characters. */
export const MAX_RECORD_ID_CHARACTERS = 256;
/** Ids that several rows have, in a message. */
const EXAMPLES = 3;

/**
 * Throws InvalidRunInputError unless every row has its own id in the column: present, not empty, not too long, unique.
 * `isNamed`: the run input names it; else the dataset has it as a run's output does.
 */
export async function checkRecordIds(
  files: readonly LocalDatasetFile[],
  dataset: Dataset,
  { column, isNamed }: { column: string; isNamed: boolean },
): Promise<void> {
  const found = columnGiven(dataset.columns, column);
  if (found === undefined) {
    throw new InvalidRunInputError(
      `record_id_column is "${column}", but the dataset has the columns ${privately(dataset.columns.map(({ name }) => givenName(name)).join(', '))}.`,
    );
  }
  await inScratch(async (db, scratchDirectory) => {
    await db.run('CREATE TABLE ids (id VARCHAR)');
    const relations = openRelations({
      format: dataset.format,
      columns: [found.name],
      reads: firstRows(files, dataset),
      scratchPrefix: join(scratchDirectory, 'text-'),
    });
    for await (const relation of relations) {
      await using read = relation;
      await readingRows(db, read, () =>
        db.run(`INSERT INTO ids SELECT ${columnText(found)} FROM ${read.from}`),
      );
    }
    const counts = await db.row(`SELECT
      CAST(count(*) - count(id) AS INTEGER) AS missing,
      CAST(count(*) FILTER (id = '') AS INTEGER) AS "empty",
      CAST(count(*) FILTER (length(id) > ${MAX_RECORD_ID_CHARACTERS}) AS INTEGER) AS "long" FROM ids`);
    const problems = [
      [counts.missing, 'rows without a value (null)'],
      [counts.empty, 'rows with an empty value'],
      [counts.long, `rows with more than ${MAX_RECORD_ID_CHARACTERS} characters`],
    ].flatMap(([rows, what]) => (Number(rows) > 0 ? [`${what}: ${rows}`] : []));
    const duplicates = await db.rows(
      `SELECT id, CAST(count(*) AS INTEGER) AS "rows", CAST(count(*) OVER () AS INTEGER) AS ids FROM ids WHERE id IS NOT NULL GROUP BY id HAVING count(*) > 1 ORDER BY count(*) DESC, id LIMIT ${EXAMPLES}`,
    );
    if (duplicates.length > 0) {
      const examples = duplicates.map(({ id, rows }) => `${JSON.stringify(id)} (${rows} rows)`).join(', ');
      problems.push(`values that several rows have: ${duplicates[0]?.ids}, such as ${privately(examples)}`);
    }
    if (problems.length > 0) {
      throw new InvalidRunInputError(
        `Column "${column}" cannot give the record ids: ${problems.join('; ')}. ${isNamed ? 'Name a column of unique ids, or leave record_id_column out to have rows numbered.' : 'Rename the column, or leave it out, to have rows numbered.'}`,
      );
    }
  });
}
