import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runQuarry } from '../../support/run-quarry.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

/** A run that has ended, in a directory of its own. */
async function endedRun() {
  const home = await temporaryDirectory();
  const dir = join(home, 'store');
  await writeFile(join(home, 'rows.csv'), 'name\none\ntwo\n');
  const model = [
    '--model-id',
    'us.amazon.nova-lite-v1:0',
    '--prompt-template',
    'Say {name}',
    '--run-id',
    'small',
  ];
  expect((await runQuarry('run', join(home, 'rows.csv'), ...model, '--dir', dir)).status).toBe(0);
  return { home, dir, page: join(dir, 'quarry-local/runs/small/report.html') };
}

test('report writes the page of a run that has none, says where it is, and copies it', async () => {
  const { home, dir, page } = await endedRun();
  const written = await readFile(page, 'utf8');
  await rm(page);
  expect(await runQuarry('report', '--dir', dir)).toEqual({ status: 0, out: `${page}\n`, err: '' });
  expect(await readFile(page, 'utf8')).toBe(written);
  const copy = join(home, 'for-others', 'report.html');
  expect((await runQuarry('report', 'small', '--dir', dir, '--output', copy)).out).toBe(`${copy}\n`);
  expect(await readFile(copy, 'utf8')).toBe(written);
  const { out } = await runQuarry('report', 'small', '--dir', dir, '--json');
  expect(JSON.parse(out)).toMatchObject({
    page,
    copy: null,
    report: {
      summary: { run_id: 'small', simulated: true },
      rows: [{ prompt: { text: 'Say one', cut: 0 } }, {}],
    },
  });
});

test('a place that cannot have the copy is refused before anything is read, and nothing is written', async () => {
  const { home, dir } = await endedRun();
  const refusal = async (output: string) => {
    const { status, err } = await runQuarry('report', 'small', '--dir', dir, '--output', output);
    expect(status).not.toBe(0);
    return err;
  };
  const text = join(home, 'report.txt');
  expect(await refusal(text)).toContain(
    `The report is one HTML file, and "${text}" does not end in .html. Name a file such as report.html.`,
  );
  await expect(stat(text)).rejects.toThrow('ENOENT');
  await mkdir(join(home, 'folder.html'));
  expect(await refusal(join(home, 'folder.html'))).toContain('is a folder. Name a file for the report');
  expect(await refusal(join(home, 'rows.csv', 'report.html'))).toContain('The report cannot be put into');
});
