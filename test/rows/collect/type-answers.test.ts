import { expect, test } from 'vitest';
import { recordIdOf as id } from '../../../src/core/record-id.ts';
import { answerSchemaOf } from '../../../src/core/run-input/output-schema.ts';
import { recountResults } from '../../../src/rows/results/recount-results.ts';
import {
  collect,
  columnsOf,
  converseLine,
  prepareAll,
  query,
  typesOf,
  writeParquet,
} from '../../support/rows.ts';

async function sixRows(): Promise<string> {
  const rows = `SELECT * FROM (VALUES (1, 'a'), (2, 'b'), (3, NULL), (4, 'd'), (5, 'e'), (6, 'f')) AS t(n, "text")`;
  const [prepared] = await prepareAll([await writeParquet('six.parquet', rows)], '{text}');
  return prepared?.rowsPath ?? '';
}

test('typed answers are columns of their own types; one that is not of the schema is owed, and quoted', async () => {
  const schema = answerSchemaOf({
    label: 'good | bad',
    score: 'number',
    tags: 'string[]',
    who: { name: 'string' },
  });
  const answer = (changes: object) =>
    JSON.stringify({ label: 'good', score: 1, tags: ['\u{1f600}', 'b'], who: { name: 'x' }, ...changes });
  const lines = [
    converseLine(id(5), `Sure: ${answer({ score: 0.25 })}`),
    converseLine(id(0), answer({})),
    converseLine(id(1), answer({ label: 'neither' })),
    converseLine(id(1), 'worse'),
    converseLine(id(3), '{"label":"go').replace('"end_turn"', '"max_tokens"'),
    converseLine(id(4), answer({ who: { name: '\ud83d' } })),
  ];
  const columns = columnsOf({ schema, outputPrefix: 'a_' });
  const { resultPath, ...collected } = await collect(await sixRows(), [lines.join('\n'), ''], { columns });
  const found = await query(
    `SELECT CAST(to_json([a_label, CAST(a_score AS VARCHAR), CAST(a_tags AS VARCHAR), a_who.name, error_code, response[1:6]]) AS VARCHAR) AS json FROM '${resultPath}' ORDER BY file_row_number`,
  );
  expect(found.map(({ json }) => JSON.parse(String(json)))).toEqual([
    ['good', '1.0', '[\u{1f600}, b]', 'x', null, '{"labe'],
    [null, null, null, null, 'SchemaViolation', '{"labe'],
    [null, null, null, null, 'NullPromptValue', null],
    [null, null, null, null, 'AnswerTruncated', '{"labe'],
    ['good', '1.0', '[\u{1f600}, b]', '\ufffd', null, '{"labe'],
    ['good', '0.25', '[\u{1f600}, b]', 'x', null, 'Sure: '],
  ]);
  expect(collected).toMatchObject({
    rows: { total: 6, succeeded: 3, failed: 2, not_sent: 1 },
    mended: 1,
    checked: 6,
    violations: [{ property: 'label', answers: 1 }],
    owed: 1,
    // All were paid for.
    tokens: { input: 15, output: 10 },
  });
  expect(collected.reasons).toContainEqual({
    error_code: 'SchemaViolation',
    rows: 1,
    example_record_id: id(1),
    example_message: expect.stringMatching(
      /^The answer does not match output_schema: label must be .*: good, bad\. It says: \{"label":"neither"/,
    ),
  });
  expect((await recountResults([resultPath], 'response', { isTyped: true })).rows).toEqual(collected.rows);
  expect(await typesOf(resultPath)).toMatchObject({
    a_label: 'VARCHAR',
    a_score: 'DOUBLE',
    a_tags: 'VARCHAR[]',
    a_who: 'STRUCT("name" VARCHAR)',
    response: 'VARCHAR',
  });
  const retry = { maxAttempts: 3, retryTruncated: true, retryRefused: false };
  expect((await collect(await sixRows(), [lines.join('\n')], { columns, retry })).owed).toBe(2);
  expect((await collect(await sixRows(), [], { columns })).rows.failed).toBe(5);
});

test('answers of many pages keep their rows', async () => {
  const rows = 5_000;
  const file = await writeParquet('many.parquet', `SELECT i AS n FROM range(${rows}) r(i)`);
  const [prepared] = await prepareAll([file], '{n}');
  const schema = answerSchemaOf({ twice: 'integer', word: 'string' });
  const lines = Array.from({ length: rows }, (_, row) => {
    const shuffled = (row * 7919) % rows;
    const answer = JSON.stringify({ twice: 2 * shuffled, word: `w${shuffled}` });
    return converseLine(id(shuffled), shuffled % 10 === 0 ? answer.slice(1) : answer);
  });
  const { resultPath, rows: counts } = await collect(prepared?.rowsPath ?? '', [lines.join('\n')], {
    columns: columnsOf({ schema }),
  });
  expect(counts).toEqual({ total: rows, succeeded: 4_500, failed: 500, not_sent: 0 });
  const [found] = await query(
    `SELECT CAST(count(*) FILTER (twice = 2 * n AND word = 'w' || n AND error_code IS NULL) AS INTEGER) AS good, CAST(count(*) FILTER (twice IS NULL AND n % 10 = 0 AND error_code = 'SchemaViolation') AS INTEGER) AS bad FROM '${resultPath}'`,
  );
  expect(found).toEqual({ good: 4_500, bad: 500 });
});
