import { expect, test } from 'vitest';
import { readNamedTests, testExists } from '../support/named-tests.ts';

const guarantees = readNamedTests('docs/guarantees.md');

test('docs/guarantees.md names a test for each guarantee', () => {
  expect(guarantees.length).toBeGreaterThan(25);
});

test.each(guarantees)('$feature: the test that is named is there', (named) => {
  expect(testExists(named), `${named.file}: ${named.title}`).toBe(true);
});
