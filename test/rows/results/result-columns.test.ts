import { expect, test } from 'vitest';
import { columnsOf, TITAN } from '../../support/rows.ts';

const named = ({ all }: ReturnType<typeof columnsOf>) => all.map(({ name, type }) => `${name} ${type}`);

test('a text is a response, an embedding a list of floats, each beside what became of its row', () => {
  expect(named(columnsOf())).toEqual([
    'response VARCHAR',
    'record_id VARCHAR',
    'error_code VARCHAR',
    'error_message VARCHAR',
    'stop_reason VARCHAR',
    'input_tokens BIGINT',
    'output_tokens BIGINT',
    'attempts INTEGER',
  ]);
  expect(named(columnsOf({ shape: TITAN }))[0]).toBe('embedding FLOAT[]');
});

test('the answer may have another name, and a record_id of the dataset is not added again', () => {
  const columns = columnsOf({ outputColumn: 'joke', recordIdColumn: 'record_id' });
  expect(columns.all[0]).toBe(columns.answer);
  expect(named(columns).slice(0, 2)).toEqual(['joke VARCHAR', 'error_code VARCHAR']);
  expect(named(columnsOf({ recordIdColumn: 'id' }))).toContain('record_id VARCHAR');
});

test('what is spent is the tokens: a row that gets another row’s answer has none of them', () => {
  const spent = columnsOf({ outputColumn: 'output_tokens_of_mine' }).answers.filter(({ isSpent }) => isSpent);
  expect(spent.map(({ name }) => name)).toEqual(['input_tokens', 'output_tokens']);
});
