import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { runQuarry } from '../../support/run-quarry.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const MAIN = join(import.meta.dirname, '..', '..', '..', 'src', 'cli', 'main.ts');

/** A finished run of so many rows. */
async function finishedRun(rows: number) {
  const directory = await temporaryDirectory();
  const dir = join(directory, 'store');
  const file = join(directory, 'rows.jsonl');
  const lines = Array.from({ length: rows }, (_, row) =>
    JSON.stringify({ text: `row ${row} ${'x'.repeat(500)}` }),
  );
  await writeFile(file, `${lines.join('\n')}\n`);
  const args = ['--model-id', 'us.amazon.nova-lite-v1:0', '--prompt-template', '{text}?', '--dir', dir];
  const { status, err } = await runQuarry('run', file, ...args, '--run-id', 'long');
  expect(status, err).toBe(0);
  return { dir };
}

test.each([
  ['run', 'nothing.csv', '--model-id', 'us.amazon.nova-lite-v1:0', '--prompt-template', '{text}'],
  ['plan', 'nothing.csv', '--model-id', 'us.amazon.nova-lite-v1:0', '--prompt-template', '{text}'],
  ['status', 'nothing'],
  ['cancel', 'nothing'],
  ['resume', 'nothing'],
  ['adopt', 'nothing'],
  ['run', '--no-such-flag'],
])('%s %s fails in JSON too, where JSON was asked for', async (...words) => {
  const dir = join(await temporaryDirectory(), 'store');
  const { status, out, err } = await runQuarry(...words, '--dir', dir, '--json');
  expect(status).toBe(1);
  const isStarting = ['run', 'plan'].includes(words[0] ?? '');
  expect(JSON.parse(out)).toEqual({
    status: isStarting ? 'refused' : 'failed',
    error: expect.stringMatching(/Error$/),
    message: expect.any(String),
    run_id: null,
  });
  expect(err).not.toBe('');
});

test('a reader of results that has seen enough ends the command quietly', async () => {
  const { dir } = await finishedRun(3000);
  const results = spawn(process.execPath, [MAIN, 'results', 'long', '--dir', dir, '--format', 'jsonl']);
  const printed = text(results.stderr);
  const ended = new Promise<number | null>((resolve) => results.on('exit', resolve));
  await new Promise((resolve) => results.stdout.once('data', resolve));
  results.stdout.destroy();
  expect(await ended).toBe(0);
  expect(await printed).toBe('');
}, 60_000);
