import { expect, test } from 'vitest';
import { byLikeness, nearest } from '../../../src/core/text/nearest.ts';

test('candidates come in the order of their likeness, whatever the case', () => {
  expect(byLikeness('GAMA', ['alpha', 'beta', 'gamma'])).toEqual(['gamma', 'beta', 'alpha']);
});

test('a slip of the fingers finds what was meant', () => {
  expect(nearest('max_atempts', ['max_records', 'max_attempts'])).toBe('max_attempts');
  expect(nearest('Run-Id', ['split', 'run_id'])).toBe('run_id');
});

test('another word finds nothing', () => {
  expect(nearest('colour', ['max_records', 'split'])).toBeUndefined();
  expect(nearest('x', [])).toBeUndefined();
});
