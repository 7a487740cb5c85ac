import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runQuarry } from '../../support/run-quarry.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

test('a dataset’s own record_id column comes back as it was, with the answers beside it', async () => {
  const directory = await temporaryDirectory();
  const file = join(directory, 'rows.csv');
  await writeFile(file, 'record_id,topic\nb-7,cats\na-1,dogs\n');
  const [dir, args] = [join(directory, 'store'), ['--model-id', 'us.amazon.nova-lite-v1:0']];
  const run = await runQuarry(
    ...['run', file, '--dir', dir, ...args, '--prompt-template', 'Say {topic}.', '--run-id', 'again'],
  );
  expect(run.err).toContain('Note: The dataset’s own column record_id gives the record ids.\n');
  expect(run.status).toBe(0);
  const { out } = await runQuarry('results', 'again', '--dir', dir, '--format', 'jsonl');
  const rows = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(
    rows.map(({ record_id, topic, response }) => [record_id, topic, /begins "(.*?)"/.exec(response)?.[1]]),
  ).toEqual([
    ['b-7', 'cats', 'Say cats.'],
    ['a-1', 'dogs', 'Say dogs.'],
  ]);
  expect(Object.keys(rows[0]).filter((name) => name === 'record_id')).toHaveLength(1);
});
