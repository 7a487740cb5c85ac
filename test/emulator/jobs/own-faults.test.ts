import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createVirtualClock } from '../../../src/core/clock.ts';
import type { EmulatorNotice } from '../../../src/emulator/notices.ts';
import { startEmulator } from '../../../src/emulator/server.ts';
import { createDirectoryStore } from '../../../src/store/directory-store.ts';
import { openModelServer } from '../../support/model-server-double.ts';
import { canMount, mountDisk } from '../../support/small-disk.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { INPUT, NOVA, novaRecords, openBench, ROLE_ARN } from '../emulator-bench.ts';

test.runIf(process.platform !== 'win32')(
  'a process that may open few files pays for each answer once',
  async () => {
    await using server = await openModelServer();
    const dir = await temporaryDirectory();
    const rows = Array.from({ length: 130 }, (_, index) => `row ${index}\n`);
    await writeFile(join(dir, 'rows.csv'), `name\n${rows.join('')}`);
    const command = [
      ...['node', 'src/cli/main.ts', 'run', join(dir, 'rows.csv'), '--dir', join(dir, 'store')],
      ...['--model-id', NOVA, '--prompt-template', "'Say {name}'"],
      ...['--model-endpoint', server.url, '--endpoint-concurrency', '64'],
    ];
    const child = spawn('bash', ['-c', `ulimit -n 48; exec ${command.join(' ')}`]);
    let printed = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (printed += text));
    const [status] = await once(child, 'close');
    expect([status, printed]).toEqual([0, expect.stringContaining('every row answered')]);
    expect(printed).toMatch(/The job "quarry-\S+" waits: .*EMFILE/);
    // One token first; and every row once.
    expect(server.requests).toHaveLength(1 + 130);
  },
  120_000,
);

test.runIf(canMount)(
  'a disk that is full costs a few answers at most: the job waits, says so, and goes on once there is space',
  async () => {
    await using server = await openModelServer();
    const disk = await mountDisk('96k');
    const stateDirectory = join(disk.path, 'state');
    const store = createDirectoryStore(join(await temporaryDirectory(), 'objects'));
    await store.write(INPUT, novaRecords(600));
    const clock = createVirtualClock();
    const notices: EmulatorNotice[] = [];
    const start = () =>
      startEmulator({
        store,
        stateDirectory,
        clock,
        modelServer: { url: server.url },
        onNotice: (notice) => notices.push(notice),
      });
    let emulator = await start();
    const { jobArn } = await call<{ jobArn: string }>(emulator.url, '/model-invocation-job', {
      jobName: 'job-1',
      roleArn: ROLE_ARN,
      modelId: NOVA,
      inputDataConfig: { s3InputDataConfig: { s3Uri: INPUT } },
      outputDataConfig: { s3OutputDataConfig: { s3Uri: 's3://data-bucket/out/' } },
    });
    while (!notices.some(({ kind }) => kind === 'job-halted')) await clock.sleep(1000);
    const asked = server.requests.length;
    expect(asked).toBeLessThan(600);
    expect(notices[0]).toMatchObject({
      kind: 'job-waits',
      message: 'The job "job-1" waits: ENOSPC: no space left on device, write',
    });
    expect(notices.at(-1)?.message).toMatch(
      /^The emulator cannot continue the job "job-1": .*ENOSPC.* It keeps the \d+ records that are done, and continues with the rest once that is fixed and it is started again\.$/,
    );
    await clock.busy(() => emulator.close());
    disk.remount('size=4096k');
    emulator = await start();
    const read = () =>
      call<{ status: string; successRecordCount: number }>(
        emulator.url,
        `/model-invocation-job/${encodeURIComponent(jobArn)}`,
      );
    for (;;) {
      const job = await clock.busy(read);
      if (job.status === 'Completed') break;
      expect(job.status).toBe('InProgress');
      await clock.sleep(1000);
    }
    expect((await clock.busy(read)).successRecordCount).toBe(600);
    await clock.busy(() => emulator.close());
    // The sixteen whose writing failed, at most, and the sixteen before them, if it was not written down any more that they are there.
    expect(server.requests.length).toBeLessThanOrEqual(600 + 32);
  },
  60_000,
);

async function call<T>(url: string, path: string, body?: object): Promise<T> {
  const response = await fetch(`${url}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return (await response.json()) as T;
}

test('a clock that was set back between kill and resume is not waited for', async () => {
  await using bench = await openBench({ durations: { inProgressMs: 60_000 } });
  await bench.store.write(INPUT, novaRecords(100));
  const jobArns = [await bench.create({ jobName: 'a' })];
  await bench.clock.sleep(30_000);
  jobArns.push(await bench.create({ jobName: 'b' }));
  const earlierMs = bench.clock.now() - 10 * 3_600_000;
  const late = createVirtualClock(earlierMs);
  await bench.clock.busy(() => bench.emulator.close());
  const emulator = await startEmulator({
    store: bench.store,
    stateDirectory: join(bench.directory, 'state'),
    clock: late,
    accountId: '123456789012',
    durations: { inProgressMs: 60_000 },
  });
  for (const jobArn of jobArns) {
    const read = () =>
      call<{ status: string }>(emulator.url, `/model-invocation-job/${encodeURIComponent(jobArn)}`);
    while ((await late.busy(read)).status !== 'Completed') await late.sleep(1000);
  }
  expect(late.now() - earlierMs).toBeLessThan(2 * 60_000);
  await emulator.close();
});

test('a job that cannot be written down when it is made is made by the same call later', async () => {
  await using bench = await openBench();
  await bench.store.write(INPUT, novaRecords(100));
  const jobs = join(bench.directory, 'state/jobs');
  await rename(jobs, `${jobs}.away`);
  await expect(bench.create({ clientRequestToken: 'token-1' })).rejects.toMatchObject({
    name: 'InternalServerException',
  });
  await rename(`${jobs}.away`, jobs);
  const jobArn = await bench.create({ clientRequestToken: 'token-1' });
  expect(await bench.end(jobArn)).toMatchObject({ status: 'Completed', successRecordCount: 100 });
  expect((await bench.emulator.usage()).jobs).toHaveLength(1);
});
