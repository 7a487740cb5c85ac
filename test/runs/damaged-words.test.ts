import { rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { listKnownOutputs, recallOutput } from '../../src/runs/known-outputs.ts';
import { listKnownRuns, recallName, recallRun, rememberRun } from '../../src/runs/known-runs.ts';
import { createDirectoryStore } from '../../src/store/directory-store.ts';
import { runQuarry } from '../support/run-quarry.ts';
import { readStored } from '../support/stored-document.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const MODEL = ['--model-id', 'us.amazon.nova-lite-v1:0', '--prompt-template', 'Say {a}'];

/** A folder with two runs, of which one has word that is damaged. */
async function twoRuns() {
  const directory = await temporaryDirectory();
  const dir = join(directory, 'store');
  const file = join(directory, 'rows.jsonl');
  await writeFile(file, '{"a":"1"}\n');
  for (const id of ['whole', 'harmed']) {
    const output = join(directory, `${id}.csv`);
    const { status, err } = await runQuarry(
      ...['run', file, ...MODEL, '--dir', dir, '--run-id', id, '--output', output],
    );
    expect(status, err).toBe(0);
  }
  const harm = async (folder: string) => {
    const path = join(dir, folder, 'harmed.json');
    await writeFile(path, '{"run_id":');
    return path;
  };
  return { directory, dir, file, harm };
}

test('a damaged word of where a run is stops only what needs it, and is named', async () => {
  const { dir, harm, file } = await twoRuns();
  const { target } = await readStored(join(dir, 'known-runs', 'whole.json'));
  const path = await harm('known-runs');
  const { runs, damaged } = await listKnownRuns(dir);
  expect(runs.map(({ run_id }) => run_id)).toEqual(['whole']);
  expect(damaged).toMatchObject([{ run_id: 'harmed', fault: { name: 'DamagedFileError' } }]);
  expect(await recallName(dir, undefined)).toBe('whole');
  expect(await recallName(dir, 'who')).toBe('whole');
  expect(await recallRun(dir, 'whole')).toMatchObject({ target });
  await expect(recallRun(dir, 'harmed')).rejects.toThrow(`${path} is damaged`);
  expect((await runQuarry('status', 'whole', '--dir', dir)).status).toBe(0);
  expect((await runQuarry('status', 'harmed', '--dir', dir)).err).toContain(`${path} is damaged`);
  expect((await runQuarry('adopt', 'whole', '--dir', dir)).out).toContain('Every job is known to its run.');
  // Of a run that is not in this folder, the word is all that there is.
  await rm(join(dir, 'quarry-local', 'runs', 'harmed'), { recursive: true });
  const listed = await runQuarry('runs', '--dir', dir);
  expect(listed.status).toBe(0);
  expect(listed.out).toMatch(/whole[\s\S]*succeeded/);
  expect(listed.out).toContain(`${path} is damaged`);
  await rememberRun(dir, { run_id: 'harmed', target });
  expect(await recallRun(dir, 'harmed')).toMatchObject({ run_id: 'harmed' });
  expect((await stat(file)).isFile()).toBe(true);
}, 120_000);

test('a damaged word of where results go is in the way of no other run, and is named', async () => {
  const { directory, dir, file, harm } = await twoRuns();
  const path = await harm('known-outputs');
  const { outputs, damaged } = await listKnownOutputs(dir);
  expect(outputs.map(({ run_id }) => run_id)).toEqual(['whole']);
  expect(damaged.map(({ message }) => message)).toEqual([expect.stringContaining(`${path} is damaged`)]);
  await expect(recallOutput(dir, 'harmed')).rejects.toThrow(`${path} is damaged`);
  const at = (name: string) => join(directory, name);
  const third = await runQuarry(
    ...['run', file, ...MODEL, '--dir', dir, '--run-id', 'third', '--output', at('third.csv')],
  );
  expect([third.status, third.err]).toEqual([0, expect.not.stringContaining('damaged')]);
  expect((await runQuarry('results', 'whole', '--output', at('whole.csv'), '--dir', dir)).status).toBe(0);
  const refused = await runQuarry('results', 'harmed', '--output', at('harmed.csv'), '--dir', dir);
  expect(refused.err).toContain(`${path} is damaged`);
}, 120_000);

test('a damaged record of a job is named by jobs and by adopt, which go on with the others', async () => {
  const directory = await temporaryDirectory();
  const dir = join(directory, 'store');
  const file = join(directory, 'rows.csv');
  await writeFile(file, `a\n${Array.from({ length: 200 }, (_, n) => n).join('\n')}\n`);
  const flags = [...MODEL, '--dir', dir, '--max-records-per-job', '100'];
  expect((await runQuarry('run', file, ...flags, '--run-id', 'mine')).status).toBe(0);
  const record = (part: string) => join(dir, 'quarry-local', 'runs', 'mine', 'jobs', `${part}.json`);
  await writeFile(record('p00001'), '{"part_id":');
  await createDirectoryStore(dir).delete('s3://quarry-local/runs/mine/jobs/p00002.json');
  const { out, status } = await runQuarry('jobs', '--dir', dir);
  expect(status).toBe(0);
  expect(out).toContain('p00002');
  expect(out).toContain(`${record('p00001')} is damaged`);
  const adopted = await runQuarry('adopt', '--dir', dir);
  expect(adopted.status, adopted.err).toBe(0);
  expect(adopted.out).toContain(
    `left as it is, as its record cannot be read: ${record('p00001')} is damaged`,
  );
  expect(adopted.out).toContain('left as it is, its part has been collected without it.');
}, 120_000);
