import { expect, test } from 'vitest';
import { recordLines, unsentLines } from '../../../src/cli/views/plan-records-view.ts';

const record = { row: 4, record_id: 'r4', prompt: 'Say "hi"', record: '{"recordId":"r4"}' };

test('prompts are shown short, and with the flag whole, beside the record that would be sent', () => {
  const long = { ...record, prompt: `${'x'.repeat(700)}\nlast` };
  const lines = Array.from({ length: 20 }, (_, index) => `line ${index}`);
  const many = { ...record, row: 5, prompt: lines.join('\n') };
  const short = recordLines({ records: [record, long, many] }, { isWhole: false }).join('\n');
  expect(short).toContain('  row 5, r4\n    Say "hi"\n');
  expect(short).toContain(`    ${'x'.repeat(600)}\n    … and 105 more characters\n`);
  expect(short).toContain('    line 7\n    … and ');
  expect(short).not.toContain('line 8');
  expect(short).toContain('--show-records shows them whole, and a record as it would be sent.');
  const whole = recordLines({ records: [record, long, many] }, { isWhole: true }).join('\n');
  expect(whole).toContain(`    ${'x'.repeat(700)}\n    last\n`);
  expect(whole).toContain('    line 19\n');
  expect(whole).toContain('The record of row 5, as it would be sent:\n\n{"recordId":"r4"}');
  expect(recordLines({ records: [] }, { isWhole: true })).toEqual([]);
});

test('what a dataset has in it cannot move the cursor', () => {
  const hostile = { ...record, prompt: '\u001b[2Jgone', record: '"\u009b1m"' };
  const text = recordLines({ records: [hostile] }, { isWhole: true }).join('\n');
  expect(text).toContain('    \\u001b[2Jgone');
  expect(text).toContain('"\\u009b1m"');
});

test('why rows are not sent is said cause by cause, with the first of them', () => {
  expect(
    unsentLines([
      { cause: 'null_value', rows: 1_200, columns: ['a', 'b'], first_rows: [3, 8, 1_200] },
      { cause: 'null_value', rows: 1, columns: ['a'], first_rows: [9], looked_at: 10_000 },
      { cause: 'identical_request', rows: 2 },
      { cause: 'kept_answer', rows: 3 },
      { cause: 'over_limit', rows: 5_000, first_rows: [1_000] },
      { cause: 'unreadable', rows: 1 },
    ]),
  ).toEqual([
    '  not sent   1,200, because a and b are null (row 4, 9, 1,201 …)',
    '             1 of 10,000 that were looked at, because a is null (row 10)',
    '             2, because identical requests are sent once',
    '             3, because a former run has their answer',
    '             5,000, from row 1,001 on: max_records or max_num_jobs leaves them out',
    '             1 record of the dataset that is no row',
  ]);
});
