import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { unsupported } from './refused-definitions.ts';

const ROOT = new URL('../../', import.meta.url);
const lines = readFileSync(new URL('docs/asl-support.md', ROOT), 'utf8').split('\n');

/** `- [x] Feature — test/engine/some.test.ts: "title"`; the title as it stands in the source. */
const supported = lines
  .filter((line) => line.startsWith('- [x]'))
  .map(
    (line) =>
      /^- \[x\] (?<feature>.+) — (?<file>test\/\S+\.test\.ts): "(?<title>.+)"$/.exec(line)?.groups ?? {
        line,
      },
  );
const listedAsUnsupported = lines
  .filter((line) => line.startsWith('- [ ]'))
  .map((line) => /^- \[ \] `(.+?)`/.exec(line)?.[1] ?? line);

describe('docs/asl-support.md', () => {
  test('has a form that can be checked', () => {
    expect(supported.length).toBeGreaterThan(50);
    for (const entry of supported) expect(entry).not.toHaveProperty('line');
  });

  test.each(supported)('$feature has the test that is named', ({ file = '', title = '' }) => {
    const path = new URL(file, ROOT);
    expect(existsSync(path), file).toBe(true);
    const source = readFileSync(path, 'utf8');
    expect(source.includes(`'${title}'`) || source.includes(`"${title}"`), title).toBe(true);
  });

  test('lists exactly the features whose refusal is tested', () => {
    expect(listedAsUnsupported.toSorted()).toEqual(Object.keys(unsupported).toSorted());
  });
});
