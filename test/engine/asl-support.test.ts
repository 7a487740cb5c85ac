import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readNamedTests, testExists } from '../support/named-tests.ts';
import { unsupported } from './definition/refused-definitions.ts';

const ROOT = new URL('../../', import.meta.url);
const lines = readFileSync(new URL('docs/asl-support.md', ROOT), 'utf8').split('\n');

const supported = readNamedTests('docs/asl-support.md');
const listedAsUnsupported = lines
  .filter((line) => line.startsWith('- [ ]'))
  .map((line) => /^- \[ \] `(.+?)`/.exec(line)?.[1] ?? line);

describe('docs/asl-support.md', () => {
  test('has a form that can be checked', () => {
    expect(supported.length).toBeGreaterThan(50);
  });

  test.each(supported)('$feature has the test that is named', (named) => {
    expect(testExists(named), `${named.file}: ${named.title}`).toBe(true);
  });

  test('lists exactly the features whose refusal is tested', () => {
    expect(listedAsUnsupported.toSorted()).toEqual(Object.keys(unsupported).toSorted());
  });
});
