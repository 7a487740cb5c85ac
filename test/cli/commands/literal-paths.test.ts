import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runQuarry } from '../../support/run-quarry.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

test.each(['p[1]', 'p?', 'p*', 'p[a-z]'])(
  'a project in a folder named %s has its own rows, never those of the folder p1 beside it',
  async (name) => {
    const root = await temporaryDirectory();
    for (const folder of ['p1', name]) {
      const project = join(root, folder);
      await mkdir(project, { recursive: true });
      const rows = [1, 2, 3].map((n) => JSON.stringify({ text: `${folder} ${n}` }));
      await writeFile(join(project, 'rows.jsonl'), `${rows.join('\n')}\n`);
      const { status, err } = await runQuarry(
        'run',
        join(project, 'rows.jsonl'),
        '--model-id',
        'us.amazon.nova-lite-v1:0',
        '--prompt-template',
        '{text}?',
        '--dir',
        join(project, 'store'),
        '--run-id',
        'mine',
      );
      expect(status, err).toBe(0);
    }
    const { out } = await runQuarry(
      'results',
      'mine',
      '--dir',
      join(root, name, 'store'),
      '--format',
      'jsonl',
    );
    const texts = out
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { text: string }).text);
    expect(texts).toEqual([1, 2, 3].map((n) => `${name} ${n}`));
  },
);
