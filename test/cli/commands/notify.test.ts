import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RunNotification } from '../../../src/index.ts';
import { startQuarry } from '../../support/quarry-process.ts';
import { runQuarry } from '../../support/run-quarry.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { openWebhook } from '../../support/webhook-double.ts';

async function openWorld(rows: number) {
  const directory = await temporaryDirectory();
  const file = join(directory, 'rows.csv');
  await writeFile(file, `n\n${Array.from({ length: rows }, (_, index) => index).join('\n')}\n`);
  const told: RunNotification[] = [];
  const { url } = await openWebhook([{ status: 200 }], ({ body }) => told.push(JSON.parse(body)));
  const flags = ['--model-id', 'us.amazon.nova-lite-v1:0', '--dir', join(directory, 'store')];
  return { file, flags, told, url, directory };
}

test('a webhook is told of a run that has ended, of one that is refused, and of neither twice', async () => {
  const { file, flags, told, url, directory } = await openWorld(3);
  const asked = ['run', file, ...flags, '--notify', url, '--json'];
  const { status, out } = await runQuarry(...asked, '--prompt-template', 'Say {n}');
  expect(status).toBe(0);
  const { run_id, ended_at, output_paths } = JSON.parse(out);
  expect(told).toMatchObject([
    {
      text: `Quarry run ${run_id}: succeeded; 3 of 3 rows answered, by a simulated model.`,
      data: {
        run_id,
        status: 'succeeded',
        rows: { total: 3, succeeded: 3 },
        cost_usd: null,
        simulated: true,
        ended_at,
        files: output_paths,
        report: join(directory, 'store', 'quarry-local', 'runs', run_id, 'report.html'),
      },
    },
  ]);
  expect((await runQuarry(...asked, '--prompt-template', 'Say {m}')).status).toBe(1);
  expect(told).toHaveLength(2);
  expect(told[1]).toMatchObject({
    data: { run_id: null, status: 'failed', error: { name: 'InvalidRunInputError' } },
  });
});

test('nobody to tell is said, and changes nothing of the run', async () => {
  const { file, flags, directory } = await openWorld(3);
  await writeFile(join(directory, 'quarry.config.json'), '{}');
  const asked = ['run', file, ...flags, '--prompt-template', 'Say {n}'];
  const { status, err } = await runQuarry(...asked, '--notify', 'echo nobody is here >&2; exit 9');
  expect(status).toBe(0);
  expect(err).toContain(
    'could not be told that the run has ended: it ended with status 9. It says: nobody is here',
  );
});

test('a channel that cannot be one is refused before anything is made', async () => {
  const { file, flags } = await openWorld(3);
  const { status, err } = await runQuarry(
    'run',
    file,
    ...flags,
    '--prompt-template',
    'Say {n}',
    '--notify',
    'ftp://x',
  );
  expect(status).toBe(1);
  expect(err).toContain('--notify "ftp://x" is no URL that can be told of a run\'s end.');
  expect((await runQuarry('runs', ...flags.slice(2), '--json')).out.trim()).toBe('[]');
});

test('a run that Ctrl-C stops has not ended, and its resume is told of', async () => {
  const { file, flags, told, url } = await openWorld(300);
  const dir = flags.slice(2);
  const run = startQuarry(
    'run',
    file,
    ...flags,
    '--prompt-template',
    'Say {n}',
    '--run-id',
    'mine',
    '--notify',
    url,
  );
  await run.printed('Wave 1');
  run.signal('SIGINT');
  expect(await run.ended).toBe(130);
  expect(told).toEqual([]);
  expect((await runQuarry('resume', 'mine', ...dir, '--notify', url)).status).toBe(0);
  expect(told).toMatchObject([{ data: { run_id: 'mine', status: 'succeeded', rows: { succeeded: 300 } } }]);
});
