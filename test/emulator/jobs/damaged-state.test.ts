import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { EmulatorNotice } from '../../../src/emulator/notices.ts';
import { openModelServer } from '../../support/model-server-double.ts';
import { type Bench, INPUT, novaRecords, openBench } from '../emulator-bench.ts';

const HARMS: [string, (text: string) => string][] = [
  ['empty', () => ''],
  ['cut off', (text) => text.slice(0, text.length / 2)],
  ['of NULs, as a power cut leaves it', (text) => '\0'.repeat(text.length)],
  ['another document', () => '{"jobId":5}'],
  ['of a byte that flipped', (text) => text.replace(/\d/, (digit) => String(Number(digit) ^ 1))],
];

async function harm(path: string, change: (text: string) => string): Promise<void> {
  await writeFile(path, change(await readFile(path, 'utf8')));
}

async function restart(bench: Bench): Promise<EmulatorNotice[]> {
  const notices: EmulatorNotice[] = [];
  await bench.restart({ onNotice: (notice) => notices.push(notice) });
  return notices;
}

test.each(HARMS)(
  'a job whose file is %s goes on from the copy before it, and the file is named',
  async (_, change) => {
    await using bench = await openBench({ trackRecords: true, durations: { inProgressMs: 3_600_000 } });
    await bench.store.write(INPUT, novaRecords(200));
    const jobArn = await bench.create();
    await bench.clock.sleep(1_800_000);
    const path = join(bench.directory, 'state/jobs', `${jobArn.slice(-12)}.json`);
    await bench.clock.busy(() => bench.emulator.close());
    await harm(path, change);
    const [notice, ...others] = await restart(bench);
    expect(others).toEqual([]);
    expect(notice).toMatchObject({ kind: 'state-damaged' });
    expect(notice?.message).toMatch(
      new RegExp(
        `^${path} could not be read: (?:it is empty|it breaks off after \\d+ bytes|it is not JSON|it has changed since it was written: its checksum is that of another text|"jobId" in it is missing, or not what it should be). It held a job of the emulator. The job "job-1" continues from the previous copy; there is nothing to do.$`,
      ),
    );
    expect(await bench.end(jobArn)).toMatchObject({ status: 'Completed', successRecordCount: 200 });
    expect((await bench.emulator.usage()).tracked).toMatchObject({
      recordIds: 200,
      answeredMoreThanOnce: [],
    });
    expect(await bench.output(jobArn)).toHaveLength(200);
  },
);

test('a job whose file and copy cannot be read is forgotten and kept aside, and the others go on', async () => {
  await using bench = await openBench({ durations: { inProgressMs: 3_600_000 } });
  await bench.store.write(INPUT, novaRecords(100));
  const [lost, kept] = [await bench.create({ jobName: 'lost' }), await bench.create({ jobName: 'kept' })];
  await bench.clock.sleep(1_800_000);
  await bench.clock.busy(() => bench.emulator.close());
  const path = join(bench.directory, 'state/jobs', `${lost.slice(-12)}.json`);
  await harm(path, () => '{');
  await harm(`${path}.before`, () => '{');
  const [notice, ...others] = await restart(bench);
  expect(others).toEqual([]);
  expect(notice?.message).toContain(`It is now ${path}.damaged, and the job is forgotten`);
  expect(notice?.message).toContain('put the file back from a backup, and start again.');
  expect(await readFile(`${path}.damaged`, 'utf8')).toBe('{');
  expect((await bench.end(kept)).status).toBe('Completed');
  await expect(bench.get(lost)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  expect(await restart(bench)).toEqual([]);
});

test('a killed process that was between the two renames of a write loses no job', async () => {
  await using bench = await openBench({ durations: { inProgressMs: 3_600_000 } });
  await bench.store.write(INPUT, novaRecords(100));
  const jobArn = await bench.create();
  await bench.clock.sleep(1_800_000);
  await bench.clock.busy(() => bench.emulator.close());
  await rm(join(bench.directory, 'state/jobs', `${jobArn.slice(-12)}.json`));
  expect(await restart(bench)).toEqual([]);
  expect((await bench.end(jobArn)).status).toBe('Completed');
});

test.each(HARMS)(
  'a checkpoint that is %s costs no more answers than those after the one before it',
  async (_, change) => {
    await using server = await openModelServer();
    await using bench = await openBench({
      modelServer: { url: server.url },
      durations: { inProgressMs: 3_600_000 },
      trackRecords: true,
    });
    await bench.store.write(INPUT, novaRecords(300));
    const jobArn = await bench.create();
    await bench.clock.sleep(1_800_000);
    expect(server.requests.length).toBeGreaterThan(100);
    await bench.clock.busy(() => bench.emulator.close());
    const work = join(bench.directory, 'state/work', jobArn.slice(-12));
    expect(await readdir(work)).toContain('checkpoint.json');
    await harm(join(work, 'checkpoint.json'), change);
    await restart(bench);
    expect(await bench.end(jobArn)).toMatchObject({ status: 'Completed', successRecordCount: 300 });
    expect(server.requests.length).toBeLessThanOrEqual(300 + 16);
    expect((await bench.output(jobArn)).map(({ recordId }) => recordId).sort()).toHaveLength(300);
  },
);

test.each(HARMS)('a memory of faults that is %s keeps no emulator from starting', async (_, change) => {
  await using bench = await openBench({ faults: [{ fault: { kind: 'create-throttled' } }] });
  await expect(bench.create()).rejects.toMatchObject({ name: 'ThrottlingException' });
  const path = join(bench.directory, 'state/faults.json');
  await harm(path, change);
  await rm(`${path}.before`, { force: true });
  const [notice] = await restart(bench);
  expect(notice?.message).toContain(`${path} could not be read`);
  expect(notice?.message).toContain('It held how often each rule of the fault script has applied');
  // Counted anew, the rule applies once more.
  await expect(bench.create()).rejects.toMatchObject({ name: 'ThrottlingException' });
  expect(await bench.create()).toContain('model-invocation-job');
});
