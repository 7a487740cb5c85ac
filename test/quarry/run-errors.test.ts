import { expect, test } from 'vitest';
import * as errors from '../../src/core/errors.ts';
import { namedError } from '../../src/quarry/runs/run-errors.ts';

const CLASSES = Object.entries(errors).filter(([name]) => /^[A-Z]\w+(?:Error|Cancelled)$/.test(name));

test.each(CLASSES.filter(([name]) => name !== 'QuarryError'))(
  '%s comes back from an execution as itself',
  (name, Class) => {
    const error = namedError(name, 'It went wrong.');
    expect(error).toBeInstanceOf(Class);
    expect(error).toMatchObject({ name, message: 'It went wrong.' });
  },
);

test('a name that is none of ours stays a name', () => {
  expect(namedError('States.Timeout', 'Too long.')).toMatchObject({
    name: 'States.Timeout',
    message: 'Too long.',
  });
});
