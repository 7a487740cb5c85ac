import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/** As many as a newcomer takes in at once. */
const MOST_FILES = 25;

test('no room has more files than a newcomer takes in', () => {
  const entries = readdirSync(join(import.meta.dirname, '../../src'), {
    recursive: true,
    withFileTypes: true,
  });
  const files = Map.groupBy(
    entries.filter((entry) => entry.isFile()),
    ({ parentPath }) => parentPath,
  );
  const full = [...files].filter(([, inside]) => inside.length > MOST_FILES).map(([room]) => room);
  expect(files.size).toBeGreaterThan(20);
  expect(full).toEqual([]);
});
