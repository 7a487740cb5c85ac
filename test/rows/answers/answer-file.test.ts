import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ANSWER_FILE_COLUMNS, keepAnswers } from '../../../src/rows/answers/answer-file.ts';
import { resultColumnsOf } from '../../../src/rows/results/result-columns.ts';
import { ANTHROPIC, converseFrame, createDirectory, query, writeParquet } from '../../support/rows.ts';

const columns = resultColumnsOf({
  shape: ANTHROPIC,
  outputColumn: undefined,
  recordIdColumn: undefined,
  reuse: true,
});

/** Keeps the answers of rows `(a, answer, error code, stop reason, input tokens, reused from)`. */
async function keep(rows: string) {
  const directory = await createDirectory();
  const file = await writeParquet(
    'result.parquet',
    `SELECT key, answer AS response, format('r{:04d}', row_number() OVER () - 1) AS record_id, code AS error_code, NULL::VARCHAR AS error_message,
      stop AS stop_reason, tokens::BIGINT AS input_tokens, 5::BIGINT AS output_tokens, 1 AS attempts, source AS reused_from
    FROM (VALUES ${rows}) AS given(key, answer, code, stop, tokens, source)`,
  );
  const answersPath = join(directory, 'kept.parquet');
  const answers = await keepAnswers({
    resultPath: file.path,
    columns,
    frame: converseFrame('Say {key}'),
    asked: { answerer: 'bedrock', modelId: 'm', invocationType: 'InvokeModel' },
    datasetColumns: [{ name: 'key', type: 'VARCHAR' }],
    runId: 'run-1',
    answeredAt: '2026-11-28T00:00:00.000Z',
    answersPath,
    scratchDirectory: directory,
  });
  return { answers, answersPath };
}

test('only answers that may stand for others are kept, each once, with the tokens that were paid', async () => {
  const { answers, answersPath } = await keep(`
    ('good', 'Yes.', NULL, 'end_turn', 7, NULL),
    ('failed', 'Half', '400', 'end_turn', 7, NULL),
    ('none', NULL, NULL, NULL, NULL, NULL),
    ('cut off', 'Hal', NULL, 'max_tokens', 7, NULL),
    ('refused', 'I cannot.', NULL, 'Refusal', 7, NULL),
    ('empty', ' \n', NULL, 'end_turn', 7, NULL),
    ('another run’s', 'Yes.', NULL, 'end_turn', 7, 'run-0'),
    ('twice', 'Same.', NULL, 'end_turn', NULL, NULL),
    ('twice', 'Same.', NULL, 'end_turn', 9, NULL),
    (NULL, 'Asks nothing', NULL, 'end_turn', 7, NULL)`);
  expect(answers).toBe(2);
  const kept = await query(
    `SELECT record_id, answer, input_tokens, run_id, octet_length(key) AS bytes FROM '${answersPath}'`,
  );
  expect(kept).toEqual([
    { record_id: 'r0000', answer: 'Yes.', input_tokens: '7', run_id: 'run-1', bytes: '32' },
    { record_id: 'r0008', answer: 'Same.', input_tokens: '9', run_id: 'run-1', bytes: '32' },
  ]);
  const described = await query(`DESCRIBE SELECT * FROM '${answersPath}'`);
  expect(described.map(({ column_name }) => column_name)).toEqual([...ANSWER_FILE_COLUMNS]);
});

test('where no answer may stand for another there is no file', async () => {
  const { answers, answersPath } = await keep(`('cut off', 'Hal', NULL, 'max_tokens', 7, NULL)`);
  expect(answers).toBe(0);
  await expect(query(`SELECT * FROM '${answersPath}'`)).rejects.toThrow('No files found');
});
