import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { expect, test } from 'vitest';
import { recordIdOf } from '../../../src/core/record-id.ts';
import { recountResults } from '../../../src/rows/results/recount-results.ts';
import {
  collect,
  columnsOf,
  converseLine,
  prepareAll,
  query,
  TITAN,
  typesOf,
  writeParquet,
  writeSource,
} from '../../support/rows.ts';

const SIX = `SELECT * FROM (VALUES (1, 'a'), (2, 'b'), (3, NULL), (4, 'd'), (5, 'e'), (6, 'f')) AS t(n, "text")`;

async function sixRows(): Promise<string> {
  const [prepared] = await prepareAll([await writeParquet('six.parquet', SIX)], '{text}');
  if (prepared === undefined) throw new Error('no part');
  expect(prepared.part).toMatchObject({ rows: 6, records: 5 });
  return prepared.rowsPath;
}

const id = recordIdOf;
const errorLine = (recordId: string, error: unknown) => JSON.stringify({ recordId, modelInput: {}, error });

async function outcomes(resultPath: string) {
  const rows = await query(
    `SELECT response, error_code, attempts FROM '${resultPath}' ORDER BY file_row_number`,
  );
  return rows.map(({ response, error_code, attempts }) => [response, error_code, attempts]);
}

test('every row ends in one outcome, and says why it has no answer', async () => {
  const lines = [
    converseLine(id(5), 'F'),
    errorLine(id(1), { errorCode: 400, errorMessage: 'bad request' }),
    converseLine(id(0), 'A'),
    JSON.stringify({ recordId: id(3), modelOutput: { output: null } }),
  ];
  const { resultPath, ...collected } = await collect(await sixRows(), [`${lines.join('\n')}\n`]);
  expect(await outcomes(resultPath)).toEqual([
    ['A', null, 1],
    [null, '400', 1],
    [null, 'NullPromptValue', 0],
    [null, 'UnexpectedModelOutput', 1],
    [null, 'MissingOutput', 1],
    ['F', null, 1],
  ]);
  expect(collected).toEqual({
    rows: { total: 6, succeeded: 2, failed: 3, not_sent: 1 },
    tokens: { input: 6, output: 4 },
    stop_reasons: [{ stop_reason: 'end_turn', rows: 2, empty: 0 }],
    stray_lines: 0,
    answered: 4,
    wasTried: true,
    owed: 1,
    failures: [{ attempts: 1, retryable: 1, account: 0, client: 1 }],
    reasons: [
      { error_code: '400', rows: 1, example_record_id: id(1), example_message: 'bad request' },
      {
        error_code: 'MissingOutput',
        rows: 1,
        example_record_id: id(4),
        example_message: 'The job left no output for it.',
      },
      {
        error_code: 'NullPromptValue',
        rows: 1,
        example_record_id: id(2),
        example_message: 'A column that the prompt needs is null in this row, so the row was not sent.',
      },
      {
        error_code: 'UnexpectedModelOutput',
        rows: 1,
        example_record_id: id(3),
        example_message:
          'The model\'s output has no list of content blocks at output.message.content. It is: {"output":null}',
      },
    ],
  });
  expect((await recountResults([resultPath], 'response')).rows).toEqual(collected.rows);
  expect(await typesOf(resultPath)).toEqual({
    n: 'INTEGER',
    text: 'VARCHAR',
    response: 'VARCHAR',
    record_id: 'VARCHAR',
    error_code: 'VARCHAR',
    error_message: 'VARCHAR',
    stop_reason: 'VARCHAR',
    input_tokens: 'BIGINT',
    output_tokens: 'BIGINT',
    attempts: 'INTEGER',
  });
});

test('rows of a job that left nothing are failed where they were sent, and not sent where they were not', async () => {
  const rowsPath = await sixRows();
  const sent = await collect(rowsPath, []);
  expect(sent.rows).toEqual({ total: 6, succeeded: 0, failed: 5, not_sent: 1 });
  const unanswered = { errorCode: 'BudgetExceeded', errorMessage: 'No money left.', sent: false };
  const unsent = await collect(rowsPath, [], { unanswered: () => unanswered });
  expect(unsent.rows).toEqual({ total: 6, succeeded: 0, failed: 0, not_sent: 6 });
  expect((await outcomes(unsent.resultPath))[0]).toEqual([null, 'BudgetExceeded', 0]);
  expect(unsent.reasons[0]).toMatchObject({
    error_code: 'BudgetExceeded',
    rows: 5,
    example_message: 'No money left.',
  });
});

test('the first success wins over errors and repetitions; what belongs to no row is counted', async () => {
  const lines = [
    errorLine(id(0), { errorCode: 500, errorMessage: 'first' }),
    converseLine(id(0), 'A1'),
    converseLine(id(0), 'A2'),
    converseLine(id(1), 'B'),
    converseLine(id(1), 'B'),
    errorLine(id(3), { errorCode: 429, errorMessage: 'one' }),
    errorLine(id(3), { errorCode: 503, errorMessage: 'two' }),
    converseLine('unknown', 'X'),
    converseLine(id(2), 'to a row that was not sent'),
    JSON.stringify({ modelOutput: {} }),
    JSON.stringify({ recordId: 7, modelOutput: {} }),
  ];
  for (const broken of ['', '{"recordId":"r0']) {
    const collected = await collect(await sixRows(), [
      lines.slice(0, 4).join('\n'),
      `${lines.slice(4).join('\n')}\n${broken}`,
    ]);
    expect(await outcomes(collected.resultPath)).toEqual([
      ['A1', null, 1],
      ['B', null, 1],
      [null, 'NullPromptValue', 0],
      [null, '429', 1],
      [null, 'MissingOutput', 1],
      [null, 'MissingOutput', 1],
    ]);
    expect(collected.stray_lines).toBe(broken === '' ? 8 : 9);
    expect(collected.rows).toEqual({ total: 6, succeeded: 2, failed: 3, not_sent: 1 });
  }
});

test.each([
  ['a lone surrogate', converseLine(id(0), 'x\ud83dy'), ['x\ufffdy', null, 1], 0],
  [
    'a truncated last line',
    `${converseLine(id(0), 'x')}\n${converseLine(id(1), 'y').slice(0, 60)}`,
    ['x', null, 1],
    1,
  ],
  ['a duplicate key', `${converseLine(id(0), 'x').slice(0, -1)},"error":null}`, ['x', null, 1], 0],
  ['a line that is no object', `5\n${converseLine(id(0), 'x')}\nnull\n"r"`, ['x', null, 1], 3],
  [
    'a text that is no object as output',
    `{"recordId":"${id(0)}","modelOutput":"x"}`,
    [null, 'UnexpectedModelOutput', 1],
    0,
  ],
  [
    'an integer over 2^63',
    `${converseLine(id(0), 'x').replace('"inputTokens":3', '"inputTokens":99999999999999999999')}`,
    ['x', null, 1],
    0,
  ],
  [
    'a number that is not JSON',
    `{"recordId":"${id(0)}","x":01}\n${converseLine(id(0), 'x')}`,
    ['x', null, 1],
    1,
  ],
  ['blank lines and CRLF', `\n\r\n${converseLine(id(0), 'x')}\r\n\n`, ['x', null, 1], 0],
  ['a byte order mark', `\ufeff${converseLine(id(0), 'x')}\n${converseLine(id(1), 'y')}`, ['x', null, 1], 0],
  [
    'raw U+2028, U+0085, NUL and a mark in the answer',
    converseLine(id(0), '\ufeffa\u2028b\u0085c\0"\\u001F'),
    ['\ufeffa\u2028b\u0085c\0"\\u001F', null, 1],
    0,
  ],
  [
    'a byte order mark, read line by line,',
    `\ufeff${converseLine(id(0), 'x')}\n${converseLine(id(1), '\ud83d')}`,
    ['x', null, 1],
    0,
  ],
  ['an error that is a text', errorLine(id(0), 'overloaded'), [null, 'UnknownError', 1], 0],
  ['a line of 5 MB', converseLine(id(0), 'x'.repeat(5_000_000)), ['x'.repeat(5_000_000), null, 1], 0],
])('output with %s is read', async (_name, output, expected, strayLines) => {
  const collected = await collect(await sixRows(), [output]);
  const [row] = await query(
    `SELECT CAST(to_json([response, error_code]) AS VARCHAR) AS json, attempts FROM '${collected.resultPath}' WHERE n = 1`,
  );
  expect([...JSON.parse(String(row?.json)), row?.attempts]).toEqual(expected);
  expect(collected.stray_lines).toBe(strayLines);
  expect(collected.rows.total).toBe(6);
});

test('a bad file among good ones is read in JavaScript, and the answers are the same', async () => {
  const good = `${converseLine(id(0), 'A')}\n`;
  const bad = `${converseLine(id(1), 'B\ud83d')}\n${errorLine(id(3), { errorCode: 400, errorMessage: { a: 1 } })}\n`;
  const collected = await collect(await sixRows(), [good, bad, converseLine(id(4), 'E')]);
  expect(await outcomes(collected.resultPath)).toEqual([
    ['A', null, 1],
    ['B\ufffd', null, 1],
    [null, 'NullPromptValue', 0],
    [null, '400', 1],
    ['E', null, 1],
    [null, 'MissingOutput', 1],
  ]);
  expect(collected.reasons[0]).toMatchObject({ error_code: '400', example_message: '{"a":1}' });
});

test('how answers ended is counted, and which of them are empty', async () => {
  const ended = (recordId: string, text: string, stopReason: string | null) =>
    converseLine(recordId, text).replace('"end_turn"', JSON.stringify(stopReason));
  const lines = [
    ended(id(0), ' \n\t', 'end_turn'),
    ended(id(1), 'B', 'max_tokens'),
    ended(id(3), '', 'refusal'),
    ended(id(4), 'E', 'end_turn'),
    ended(id(5), 'F', null),
  ];
  const { stop_reasons } = await collect(await sixRows(), [lines.join('\n')]);
  expect(stop_reasons).toEqual([
    { stop_reason: 'end_turn', rows: 2, empty: 1 },
    { stop_reason: null, rows: 1, empty: 0 },
    { stop_reason: 'max_tokens', rows: 1, empty: 0 },
    { stop_reason: 'refusal', rows: 1, empty: 1 },
  ]);
});

test('an error in the place of the answer is the record’s error', async () => {
  const within = (recordId: string, error: unknown) =>
    JSON.stringify({ recordId, modelInput: {}, modelOutput: error });
  const throttled = { errorCode: 429, errorMessage: 'Too many requests', expired: false, retryable: true };
  const lines = [
    within(id(0), throttled),
    within(id(1), { errorCode: 'ValidationException', errorMessage: 'The text is too long' }),
    within(id(3), { errorMessage: 'Internal failure' }),
    errorLine(id(4), { errorCode: 400, errorMessage: 'whole' }).replace('400', '400.0'),
    errorLine(id(5), { errorCode: '503.0', errorMessage: 'text' }),
  ];
  // A lone surrogate among them, and JavaScript reads what DuckDB refuses.
  for (const broken of ['', `\n${converseLine('x', '\ud83d')}`]) {
    const collected = await collect(await sixRows(), [`${lines.join('\n')}${broken}`]);
    const found = await query(
      `SELECT error_code, error_message FROM '${collected.resultPath}' WHERE attempts > 0 ORDER BY file_row_number`,
    );
    expect(found.map((row) => Object.values(row))).toEqual([
      ['429', 'Too many requests'],
      ['ValidationException', 'The text is too long'],
      ['UnknownError', 'Internal failure'],
      ['400', 'whole'],
      ['503', 'text'],
    ]);
    // The throttled and the unavailable one.
    expect(collected.owed).toBe(2);
  }
});

test('an output of an unknown shape is quoted as far as it helps, and is safe to print', async () => {
  const strange = (recordId: string, modelOutput: unknown) => JSON.stringify({ recordId, modelOutput });
  const lines = [
    converseLine(id(0), 'A'),
    strange(id(1), { type: 'error', error: { message: 'red \u001b[31m\u009b alert\n' } }),
    strange(id(3), { choices: [{ message: { content: '😀'.repeat(500) } }] }),
    JSON.stringify({ recordId: id(4) }),
    strange(id(5), ['a']),
  ];
  const { resultPath } = await collect(await sixRows(), [lines.join('\n')]);
  const found = await query(
    `SELECT error_message FROM '${resultPath}' WHERE error_code = 'UnexpectedModelOutput' ORDER BY file_row_number`,
  );
  const expected = "The model's output has no list of content blocks at output.message.content.";
  expect(found.map(({ error_message }) => error_message)).toEqual([
    `${expected} It is: {"type":"error","error":{"message":"red  [31m  alert "}}`,
    expect.stringMatching(
      /^The model's output .* It begins: \{"choices":\[\{"message":\{"content":"(?:😀){10,90}\ufffd?…$/u,
    ),
    `${expected} There is none.`,
    `${expected} It is: ["a"]`,
  ]);
  expect((await outcomes(resultPath))[0]).toEqual(['A', null, 1]);
});

test('embeddings are lists of floats; readable by another reader too', async () => {
  const vector = Array.from({ length: 1024 }, (_, index) => Math.fround(Math.sin(index)));
  const lines = [
    JSON.stringify({ recordId: id(1), modelOutput: { embedding: vector, inputTextTokenCount: 5 } }),
    JSON.stringify({ recordId: id(0), modelOutput: { embedding: [1, null], inputTextTokenCount: 5 } }),
    JSON.stringify({ recordId: id(3), modelOutput: { embedding: ['one'] } }),
  ];
  const { resultPath, ...collected } = await collect(await sixRows(), [lines.join('\n')], {
    columns: columnsOf({ shape: TITAN }),
  });
  expect((await typesOf(resultPath)).embedding).toBe('FLOAT[]');
  expect(collected.tokens).toEqual({ input: 5, output: 0 });
  expect(collected.rows).toEqual({ total: 6, succeeded: 1, failed: 4, not_sent: 1 });
  const file = await asyncBufferFromFile(resultPath);
  const rows = await parquetReadObjects({ file });
  expect(rows.map(({ embedding }) => embedding ?? null)).toEqual([null, vector, null, null, null, null]);
  expect(rows.map(({ error_code }) => error_code)).toEqual([
    'UnexpectedModelOutput',
    null,
    'NullPromptValue',
    'UnexpectedModelOutput',
    'MissingOutput',
    'MissingOutput',
  ]);
  expect(Number((await parquetMetadataAsync(file)).num_rows)).toBe(6);
});

test('a record id column named record_id appears once, in its place and with its type', async () => {
  const file = await writeParquet('ids.parquet', 'SELECT 10 - i AS record_id, i AS n FROM range(3) r(i)');
  const [prepared] = await prepareAll([file], '{n}', { recordIdColumn: 'record_id' });
  const collected = await collect(prepared?.rowsPath ?? '', [converseLine('9', 'nine')], {
    columns: columnsOf({ recordIdColumn: 'record_id' }),
  });
  expect(Object.entries(await typesOf(collected.resultPath)).slice(0, 4)).toEqual([
    ['record_id', 'BIGINT'],
    ['n', 'BIGINT'],
    ['response', 'VARCHAR'],
    ['error_code', 'VARCHAR'],
  ]);
  expect((await outcomes(collected.resultPath)).map(([response]) => response)).toEqual([null, 'nine', null]);
  expect(collected.reasons[0]?.example_record_id).toBe('10');
});

test('a dataset with a column that the results need is refused', async () => {
  const file = await writeSource('clash.csv', 'a,Error_Code\n1,2\n');
  const [prepared] = await prepareAll([file], '{a}');
  await expect(collect(prepared?.rowsPath ?? '', [])).rejects.toThrow(
    'The dataset has a column "error_code"',
  );
});

test('every row keeps its own answer and its place where the join does not fit into memory', async () => {
  const file = await writeParquet(
    'big.parquet',
    `SELECT i AS n, repeat('x', 50) AS "text" FROM range(30000) r(i)`,
  );
  const [prepared] = await prepareAll([file], '{text}');
  const lines = Array.from({ length: 30_000 }, (_, row) => {
    const shuffled = (row * 7919) % 30_000;
    return converseLine(id(shuffled), `${shuffled} ${'y'.repeat(5_000)}`);
  });
  const collected = await collect(prepared?.rowsPath ?? '', [lines.join('\n')], { memoryMb: 500 });
  expect(collected.rows).toEqual({ total: 30_000, succeeded: 30_000, failed: 0, not_sent: 0 });
  const [wrong] = await query(
    `SELECT CAST(count(*) AS INTEGER) AS wrong FROM '${collected.resultPath}' WHERE n <> file_row_number OR split_part(response, ' ', 1) <> CAST(n AS VARCHAR)`,
  );
  expect(wrong?.wrong).toBe(0);
}, 120_000);
