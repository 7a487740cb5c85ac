import { join } from 'node:path';
import { expect, test } from 'vitest';
import { owedUnder, type RetryPolicy } from '../../../src/core/jobs/retry-policy.ts';
import { countFailures, readOwed } from '../../../src/rows/collect/owed-records.ts';
import { openDuckDb, sqlText } from '../../../src/rows/duckdb/duckdb.ts';
import { createDirectory } from '../../support/rows.ts';

const POLICY: RetryPolicy = { maxAttempts: 3, retryTruncated: false, retryRefused: false };

type Row = [error_code: string | null, error_message: string | null, attempts: number];

/** A result with these rows, in a database. */
async function openResult(rows: readonly Row[]) {
  const directory = await createDirectory();
  const db = await openDuckDb({ memoryMb: 256, threads: 1, scratchDirectory: directory });
  const path = join(directory, 'result.parquet');
  const text = (value: string | null) => (value === null ? 'CAST(NULL AS VARCHAR)' : sqlText(value));
  const values = rows.map(
    ([code, message, attempts], index) =>
      `('r${index}', ${text(code)}, ${text(message)}, CAST(NULL AS VARCHAR), ${attempts})`,
  );
  await db.run(
    `COPY (SELECT * FROM (VALUES ${values.join(', ')}) AS rows(record_id, error_code, error_message, stop_reason, attempts)) TO ${sqlText(path)} (FORMAT PARQUET)`,
  );
  const rowsPath = join(directory, 'rows.parquet');
  await db.run(
    `COPY (SELECT 'r' || range AS __quarry_record_id, CAST(NULL AS VARCHAR) AS __quarry_error_code FROM range(${rows.length})) TO ${sqlText(rowsPath)} (FORMAT PARQUET)`,
  );
  return { db, path, rowsPath, [Symbol.asyncDispose]: () => db[Symbol.asyncDispose]() };
}

test.each<[string | null, string | null, 'retryable' | 'account' | 'client' | undefined]>([
  ['503', 'Try again.', 'retryable'],
  ['RecordMissing', null, 'retryable'],
  ['403', 'You are not authorized to perform this action.', 'account'],
  ['403', null, 'account'],
  ['401', 'Who are you?', 'account'],
  ['AccessDeniedException', 'No.', 'account'],
  ['400', 'Your credit balance is too low to access the Anthropic API.', 'account'],
  ['400', 'Operation not allowed', 'account'],
  ['ValidationException', "You don't have access to the model with the specified model ID.", 'account'],
  ['400', 'This account is suspended.', 'account'],
  ['400', 'prompt is too long: 210000 tokens > 200000 maximum', 'client'],
  ['400', 'messages: text content blocks must be non-empty', 'client'],
  ['400', 'temperature: not accounted for', 'client'],
  ['ValidationException', 'Malformed input request', 'client'],
  ['422', null, 'client'],
  ['UnexpectedModelOutput', null, undefined],
  ['NullPromptValue', null, undefined],
  [null, null, undefined],
])('an error %s that says %j is %s', async (code, message, kind) => {
  await using result = await openResult([[code, message, 1]]);
  const none = { retryable: 0, account: 0, client: 0 };
  expect(await countFailures(result.db, result.path, POLICY)).toEqual(
    kind === undefined ? [] : [{ attempts: 1, ...none, [kind]: 1 }],
  );
});

test('what is owed under a limit and a forgiveness is what is read under them', async () => {
  const rows: Row[] = [];
  for (const [code, message] of [
    ['503', 'Later.'],
    ['403', 'Not authorized.'],
    ['400', 'Too long.'],
    [null, null],
  ] as const) {
    for (let attempts = 0; attempts < 4; attempts += 1) rows.push([code, message, attempts]);
  }
  await using result = await openResult(rows);
  const failures = await countFailures(result.db, result.path, POLICY);
  for (const forgiven of ['nothing', 'account', 'client'] as const) {
    for (let maxAttempts = 1; maxAttempts <= 5; maxAttempts += 1) {
      const policy = { ...POLICY, maxAttempts, forgiven };
      const owed = owedUnder({ owed: { records: 0 }, failures }, policy);
      const read = await readOwed(
        result.db,
        { result: result.path, rows: result.rowsPath },
        { retry: policy, owedFrom: 0, owedCount: 100 },
      );
      expect(owed).toBe(read.length);
      expect(owed).toBe(Math.min(maxAttempts, 4) * { nothing: 1, account: 2, client: 3 }[forgiven]);
    }
  }
});

test('a ledger of version 0.1.0 owes what it owed', () => {
  expect(owedUnder({ owed: { records: 7 } }, { maxAttempts: 9, forgiven: 'client' })).toBe(7);
});
