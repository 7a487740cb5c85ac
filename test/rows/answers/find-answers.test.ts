import { readFile, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { answerSchemaOf } from '../../../src/core/run-input/output-schema.ts';
import { PROOF_SQL } from '../../../src/rows/answers/answer-file.ts';
import { type AnswerObject, findAnswers } from '../../../src/rows/answers/find-answers.ts';
import { openDuckDb, sqlText } from '../../../src/rows/duckdb/duckdb.ts';
import { resultColumnsOf } from '../../../src/rows/results/result-columns.ts';
import { ANTHROPIC, createDirectory, query, writeParquet } from '../../support/rows.ts';

interface Kept {
  asks: string;
  answer: string;
  id?: string;
  run?: string;
  at?: string;
  /** Null: none are known. */
  tokens?: number | null;
}

/** A file of kept answers; what a row asks is its key. */
async function answersFile(name: string, kept: readonly Kept[]): Promise<AnswerObject & { file: string }> {
  const rows = kept.map(
    ({ asks, answer, id = 'other', run = name, at = '2026-01-01T00:00:00.000Z', tokens = 3 }) =>
      `(encode(${sqlText(asks)}), ${sqlText(id)}, ${sqlText(answer)}, 'end_turn', ${tokens === null ? 'NULL' : tokens}, 5, ${sqlText(run)}, ${sqlText(at)})`,
  );
  const columns = 'key, record_id, answer, stop_reason, input_tokens, output_tokens, run_id, answered_at';
  const { path } = await writeParquet(
    `${name}.parquet`,
    `SELECT *, ${PROOF_SQL} AS proof FROM (SELECT key, record_id, answer, stop_reason, input_tokens::BIGINT AS input_tokens, output_tokens::BIGINT AS output_tokens, run_id, answered_at FROM (VALUES ${rows.join(', ')}) AS kept(${columns}))`,
  );
  return { uri: `s3://b/answers/${name}.parquet`, file: path };
}

/** What rows that ask this get, by their numbers. */
async function find(
  asked: readonly (string | null)[],
  files: readonly AnswerObject[] | (() => Promise<AnswerObject[]>),
  schema?: Record<string, unknown>,
) {
  const scratchDirectory = await createDirectory();
  await using db = await openDuckDb({ memoryMb: 256, threads: 1, scratchDirectory });
  await db.run('CREATE TABLE requests (digest BLOB, id VARCHAR)');
  const rows = asked.map((text) => (text === null ? '(NULL, NULL)' : `(encode(${sqlText(text)}), NULL)`));
  await db.run(`INSERT INTO requests VALUES ${rows.join(', ')}`);
  const columns = resultColumnsOf({
    shape: ANTHROPIC,
    outputColumn: undefined,
    recordIdColumn: undefined,
    schema: schema && answerSchemaOf(schema),
  });
  const list = typeof files === 'function' ? files : async () => [...files];
  const found = await findAnswers(db, { list, columns, scratchDirectory });
  const laid = found.laid === undefined ? [] : await query(`SELECT * FROM '${found.laid.path}'`);
  return { ...found, laid: laid.map((row): Record<string, unknown> => ({ ...row, row: Number(row.row) })) };
}

test('every row that asks what was answered gets the first answer, with the tokens that it took', async () => {
  const early = await answersFile('early', [
    { asks: 'a', answer: 'A' },
    { asks: 'b', answer: 'B untold', tokens: null },
  ]);
  const late = await answersFile('late', [
    { asks: 'a', answer: 'A again', at: '2026-02-01T00:00:00.000Z' },
    { asks: 'b', answer: 'B', at: '2026-03-01T00:00:00.000Z' },
    { asks: 'c', answer: 'C', id: 'r0000000004' },
  ]);
  const { laid, answers, changed } = await find(['b', 'a', null, 'a', 'new', 'newer'], [late, early]);
  expect(laid.map(({ row, answer, reused_from }) => [row, answer, reused_from])).toEqual([
    [0, 'B', 'late'],
    [1, 'A', 'early'],
    [3, 'A', 'early'],
  ]);
  expect(laid[0]).toMatchObject({ stop_reason: 'end_turn', input_tokens: '3', output_tokens: '5' });
  expect(answers).toBe(5);
  // Row 4 is a record that was asked something else.
  expect(changed).toBe(1);
});

test('where there are no answers, none is laid', async () => {
  expect(await find(['a'], [])).toMatchObject({ laid: [], answers: 0, changed: 0, unreadable: [] });
});

test('an answer that is not of the schema is not laid', async () => {
  const kept = await answersFile('kept', [
    { asks: 'a', answer: '{"label": "yes"}' },
    { asks: 'b', answer: '{"label": "perhaps"}' },
    { asks: 'c', answer: 'yes' },
  ]);
  const { laid, damaged } = await find(['a', 'b', 'c'], [kept], { label: 'yes | no' });
  expect(laid.map(({ row, property_0 }) => [row, property_0])).toEqual([[0, 'yes']]);
  expect(damaged).toBe(0);
});

test('an answer that is not as it was written is not laid, and is counted', async () => {
  const kept = await answersFile('kept', [
    { asks: 'a', answer: 'As it was written' },
    { asks: 'b', answer: 'Another one' },
  ]);
  const bytes = await readFile(kept.file);
  bytes.write('is', bytes.indexOf('As it was written') + 6);
  await writeFile(kept.file, bytes);
  const { laid, damaged, unreadable } = await find(['a', 'b'], [kept]);
  expect(laid.map(({ row }) => row)).toEqual([1]);
  expect([damaged, unreadable]).toEqual([1, []]);
});

test('files that are no Parquet, cut short, or of other columns count as lost, each by name', async () => {
  const good = await answersFile('good', [{ asks: 'a', answer: 'A' }]);
  const cut = await answersFile('cut', [{ asks: 'b', answer: 'B' }]);
  await writeFile(cut.file, (await readFile(cut.file)).subarray(0, -20));
  const text = await answersFile('text', [{ asks: 'b', answer: 'B' }]);
  await writeFile(text.file, 'Not Parquet at all.');
  const other = {
    uri: 's3://b/answers/other.parquet',
    file: (await writeParquet('o', 'SELECT 1 AS n')).path,
  } as const;
  const { laid, unreadable } = await find(['a', 'b'], [cut, other, good, text]);
  expect(laid.map(({ row }) => row)).toEqual([0]);
  expect(unreadable.map(({ uri }) => uri).toSorted()).toEqual([cut.uri, other.uri, text.uri]);
});

test('a file that is compacted away meanwhile is found again in the one that took its place', async () => {
  const old = await answersFile('old', [{ asks: 'a', answer: 'A', run: 'run-1' }]);
  const compacted = await answersFile('compacted', [{ asks: 'a', answer: 'A', run: 'run-1' }]);
  let looks = 0;
  const list = async () => {
    looks += 1;
    return looks === 1 ? [{ ...old, file: `${old.file}.gone` }] : [compacted];
  };
  const { laid, unreadable } = await find(['a'], list);
  expect(laid.map(({ reused_from }) => reused_from)).toEqual(['run-1']);
  expect(unreadable).toEqual([]);
});

test('a store that does not answer breaks the search: its answers are not paid for again', async () => {
  const list = async () => [
    {
      uri: 's3://b/answers/far.parquet' as const,
      file: () => Promise.reject(new Error('The store does not answer.')),
    },
  ];
  await expect(find(['a'], list)).rejects.toThrow('The store does not answer.');
});
