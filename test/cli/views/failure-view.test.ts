import { expect, test } from 'vitest';
import { CliError } from '../../../src/cli/cli-error.ts';
import { failureJson, failureText } from '../../../src/cli/views/failure-view.ts';
import { printable, usd } from '../../../src/cli/views/format.ts';
import { InvalidRunInputError } from '../../../src/core/errors.ts';

test('people read what is wrong first, and last the name that the documents have', () => {
  expect(failureText(new InvalidRunInputError('There is no file x.csv.'))).toBe(
    'Error: There is no file x.csv.\n(InvalidRunInputError)',
  );
  expect(failureText(new CliError('Stopped', 'To continue: quarry resume r.'))).toBe(
    'Stopped: To continue: quarry resume r.',
  );
});

test.each([
  [
    'run',
    new InvalidRunInputError('No.'),
    { status: 'refused', error: 'InvalidRunInputError', run_id: null },
  ],
  [
    'status',
    new InvalidRunInputError('No.'),
    { status: 'failed', error: 'InvalidRunInputError', run_id: null },
  ],
  [
    'run',
    new CliError('SystematicFaultError', 'No.', { runId: 'r' }),
    { status: 'failed', error: 'SystematicFaultError', run_id: 'r' },
  ],
  [
    'resume',
    new CliError('Stopped', 'No.', { status: 'stopped', runId: 'r' }),
    { status: 'stopped', error: 'Stopped', run_id: 'r' },
  ],
  ['run', new CliError('Detached', 'No.', { status: 'detached' }), { status: 'detached', run_id: null }],
])(
  'a program is told of %s that ended with %s how it ended, and of which run',
  (command, error, expected) => {
    expect(failureJson(error, command)).toMatchObject({ message: 'No.', ...expected });
  },
);

test('a text of somebody else’s can neither move the cursor, colour the terminal nor turn its direction', () => {
  expect(printable('a\u001b[31mred\u001b[0m\rb\u009b2J\u202egnp\nnext\tline')).toBe(
    'a\\u001b[31mred\\u001b[0m\\u000db\\u009b2J\\u202egnp\nnext\tline',
  );
});

test.each([
  [0, '$0.00'],
  [0.0000123, '$0.000012'],
  [0.00042, '$0.00042'],
  [0.0471, '$0.0471'],
  [0.5, '$0.5000'],
  [12.3, '$12.30'],
  [1234567.891, '$1,234,567.89'],
])('%d dollars are written so that they mean something: %s', (amount, text) => {
  expect(usd(amount)).toBe(text);
});
