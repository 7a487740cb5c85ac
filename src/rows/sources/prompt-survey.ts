import { join } from 'node:path';
import { InvalidRunInputError } from '../../core/errors.ts';
import { columnGiven, givenName } from '../../core/plan/names-apart.ts';
import type { Dataset } from '../../core/plan/part.ts';
import type { PromptIds } from '../../core/plan/run-plan.ts';
import { privately } from '../../core/text/private-text.ts';
import { columnText } from '../duckdb/column-text.ts';
import { type DuckDb, guardedSql, sqlText, unguarded } from '../duckdb/duckdb.ts';
import { readingRows } from './damaged-source.ts';
import { firstRows, inScratch } from './dataset-rows.ts';
import type { LocalDatasetFile } from './describe-dataset.ts';
import { openRelations } from './source-relation.ts';

/** Values that name no prompt, as many as are told of. */
const TOLD_VALUES = 5;
/** Characters that are told of one. */
const TOLD_CHARACTERS = 60;

/**
 * Reads which of the prompts the first `rows` rows name in a column. Throws InvalidRunInputError where the dataset does not
 * have it, or no row names one of them.
 */
export async function surveyPrompts(
  files: readonly LocalDatasetFile[],
  dataset: Dataset,
  { column, ids, rows }: { column: string; ids: readonly string[]; rows: number },
): Promise<PromptIds> {
  const found = columnGiven(dataset.columns, column);
  if (found === undefined) {
    throw new InvalidRunInputError(
      `prompt_id_column "${column}" is not a column. The dataset has ${privately(dataset.columns.map(({ name }) => givenName(name)).join(', '))}.`,
    );
  }
  return await inScratch(async (db, scratchDirectory) => {
    await db.run('CREATE TABLE named (id VARCHAR, "row" BIGINT, "rows" BIGINT)');
    const relations = openRelations({
      format: dataset.format,
      columns: [found.name],
      reads: firstRows(files, dataset, rows),
      scratchPrefix: join(scratchDirectory, 'text-'),
    });
    for await (const relation of relations) {
      await using read = relation;
      await readingRows(db, read, () =>
        db.run(
          `INSERT INTO named SELECT id, min("row"), count(*) FROM (SELECT ${columnText(found)} AS id, ${read.rowNumber} AS "row" FROM ${read.from}) GROUP BY id`,
        ),
      );
    }
    const named = await countNamed(db, ids);
    if (named.known.length === 0) throw noneNamed(named, { column, ids });
    return named;
  });
}

async function countNamed(db: DuckDb, ids: readonly string[]): Promise<PromptIds> {
  const isKnown = `coalesce(id IN (${ids.map(sqlText).join(', ')}), false)`;
  const counted = (where: string) =>
    `SELECT id, CAST(sum("rows") AS DOUBLE) AS "rows", CAST(min("row") AS DOUBLE) AS "row" FROM named WHERE ${where} GROUP BY id`;
  const value = guardedSql(`left(id, ${TOLD_CHARACTERS})`);
  const known = await db.rows(
    `SELECT ${guardedSql('id')} AS id, "rows", "row" FROM (${counted(isKnown)}) ORDER BY "row"`,
  );
  const unknown = await db.row(
    `SELECT CAST(coalesce(sum("rows"), 0) AS DOUBLE) AS "rows", CAST(count(DISTINCT id) + coalesce(max(CAST(id IS NULL AS INTEGER)), 0) AS DOUBLE) AS "values" FROM named WHERE NOT ${isKnown}`,
  );
  const told = await db.rows(
    `SELECT ${value} AS value, "rows", "row" FROM (${counted(`NOT ${isKnown}`)}) ORDER BY "row" LIMIT ${TOLD_VALUES}`,
  );
  return {
    known: known.map(({ id, rows, row }) => ({
      prompt_id: unguarded(id),
      rows: Number(rows),
      first_row: Number(row),
    })),
    unknown: {
      rows: Number(unknown.rows),
      values: Number(unknown.values),
      first: told.map(({ value: text, rows, row }) => ({
        value: text === null ? null : unguarded(text),
        rows: Number(rows),
        first_row: Number(row),
      })),
    },
  };
}

function noneNamed(
  { unknown }: PromptIds,
  { column, ids }: { column: string; ids: readonly string[] },
): InvalidRunInputError {
  const values = unknown.first.map(({ value }) => (value === null ? 'null' : JSON.stringify(value)));
  const has = values.length === 0 ? '' : ` It has ${privately(values.join(', '))}.`;
  return new InvalidRunInputError(
    `No row has the id of a prompt in prompt_id_column "${column}".${has} The ids are ${ids.join(', ')}.`,
  );
}
