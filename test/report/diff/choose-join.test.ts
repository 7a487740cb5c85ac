import { expect, test } from 'vitest';
import type { RunPlan } from '../../../src/core/plan/run-plan.ts';
import { chooseJoin } from '../../../src/report/diff/choose-join.ts';

function plan(
  run_id: string,
  more: { id?: string; columns?: string[]; etag?: string; found?: string } = {},
): RunPlan {
  const { id, columns = ['id', 'text'], etag = 'e', found } = more;
  return {
    run_id,
    input: id === undefined ? {} : { record_id_column: id },
    ...(found === undefined ? {} : { record_id_column: found }),
    dataset: {
      columns: columns.map((name) => ({ name, type: 'VARCHAR' })),
      files: [{ uri: 's3://b/d.csv', bytes: 1, etag, rows: 3 }],
    },
  } as unknown as RunPlan;
}

test('rows are joined by the ids of the same column, named or found', () => {
  expect(chooseJoin(plan('a', { id: 'id' }), plan('b', { id: 'id', etag: 'f' }))).toEqual({
    kind: 'record_id',
    column: 'id',
  });
  expect(chooseJoin(plan('a', { found: 'record_id' }), plan('b', { id: 'record_id' }))).toEqual({
    kind: 'record_id',
    column: 'record_id',
  });
});

test('numbered rows are joined by their numbers in the same files, else by the columns that both have', () => {
  expect(chooseJoin(plan('a'), plan('b'))).toEqual({ kind: 'record_id', column: null });
  expect(chooseJoin(plan('a'), plan('b', { etag: 'f', columns: ['text', 'id', 'more'] }))).toEqual({
    kind: 'content',
    columns: ['id', 'text'],
  });
  expect(chooseJoin(plan('a', { id: 'id' }), plan('b'))).toEqual({
    kind: 'content',
    columns: ['id', 'text'],
  });
  expect(chooseJoin(plan('a', { id: 'id' }), plan('b', { id: 'id' }), 'content').kind).toBe('content');
  expect(chooseJoin(plan('a', { id: 'id' }), plan('b', { id: 'text' }), 'content').kind).toBe('content');
});

test.for([
  [
    plan('a', { id: 'id' }),
    plan('b', { id: 'text' }),
    undefined,
    'Run "a" has its record ids from the column "id", and run "b" from "text": they cannot be the ids of the same rows. Join by what is in the columns that both have: --by content.',
  ],
  [
    plan('a'),
    plan('b', { etag: 'f' }),
    'id',
    'The rows of "a" and "b" are numbered, and of other files: the same number may be another row. Join by what is in the columns that both have: --by content.',
  ],
  [
    plan('a'),
    plan('b', { id: 'text' }),
    'id',
    'Of "a" and "b", only "b" has record ids of a column, "text". Join by what is in the columns that both have: --by content.',
  ],
  [
    plan('a'),
    plan('b', { columns: ['other'], etag: 'f' }),
    undefined,
    'The datasets of "a" (id, text) and "b" (other) have no column in common: nothing says which rows are the same. Give both runs a record_id_column of the same ids.',
  ],
] as const)('what cannot be joined is refused', ([a, b, wish, message]) => {
  expect(() => chooseJoin(a, b, wish)).toThrow(
    expect.objectContaining({ name: 'InvalidRunInputError', message }),
  );
});
