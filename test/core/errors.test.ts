import { expect, test } from 'vitest';
import * as errors from '../../src/core/errors.ts';

const classes = Object.entries(errors).flatMap(([name, value]) =>
  typeof value === 'function' && value !== errors.QuarryError
    ? [{ name, create: value as new (message: string, options?: ErrorOptions) => errors.QuarryError }]
    : [],
);

test.each(classes)('$name bears its own name, for ErrorEquals', ({ name, create: ErrorClass }) => {
  const cause = new Error('underneath');
  const error = new ErrorClass('what, which, and what to do', { cause });
  expect(error).toBeInstanceOf(errors.QuarryError);
  expect(error.name).toBe(name);
  expect(error.message).toBe('what, which, and what to do');
  expect(error.cause).toBe(cause);
});

test('the names to retry are those of the retryable errors', () => {
  const retryable = classes.filter(({ create: ErrorClass }) => new ErrorClass('').retryable);
  expect(new Set([...errors.RETRYABLE_ERROR_NAMES, errors.OUTPUT_NOT_READY])).toEqual(
    new Set(retryable.map(({ name }) => name)),
  );
  expect(retryable.length).toBeLessThan(classes.length);
});
