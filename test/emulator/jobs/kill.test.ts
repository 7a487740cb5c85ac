import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { EmulatorUsage } from '../../../src/emulator/models/usage.ts';
import { createDirectoryStore } from '../../../src/store/directory-store.ts';
import { INPUT, NOVA, novaRecords, ROLE_ARN } from '../emulator-bench.ts';

const PAUSE_MS = 60;

async function startProcess(directory: string): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, ['test/conformance/start-emulator.ts', directory, '1500'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(child.stdout ?? child, 'data');
  return { child, url: String(line).trim() };
}

async function kill(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

const pause = () => new Promise((resolve) => setTimeout(resolve, PAUSE_MS));

test('an emulator that is killed again and again ends its job, and answers each record once', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'emulator-kill-'));
  try {
    await createDirectoryStore(join(directory, 'objects')).write(INPUT, novaRecords(20_000));
    let { child, url } = await startProcess(directory);
    const created = await fetch(`${url}/model-invocation-job`, {
      method: 'POST',
      body: JSON.stringify({
        jobName: 'job-1',
        roleArn: ROLE_ARN,
        modelId: NOVA,
        inputDataConfig: { s3InputDataConfig: { s3Uri: INPUT } },
        outputDataConfig: { s3OutputDataConfig: { s3Uri: 's3://data-bucket/out/' } },
      }),
    });
    const { jobArn } = (await created.json()) as { jobArn: string };
    for (const pauses of [1, 4, 6, 8]) {
      for (let count = 0; count < pauses; count += 1) await pause();
      await kill(child);
      ({ child, url } = await startProcess(directory));
    }
    const status = async () => {
      const response = await fetch(`${url}/model-invocation-job/${encodeURIComponent(jobArn)}`);
      return ((await response.json()) as { status: string }).status;
    };
    while (['Submitted', 'Validating', 'Scheduled', 'InProgress'].includes(await status())) await pause();
    expect(await status()).toBe('Completed');
    const usage = (await (await fetch(`${url}/_emulator/usage`)).json()) as EmulatorUsage;
    await kill(child);
    expect(usage.totals.answered).toBe(20_000);
    expect(usage.tracked).toMatchObject({ recordIds: 20_000, answeredMoreThanOnce: [] });
    const output = await createDirectoryStore(join(directory, 'objects')).read(
      `s3://data-bucket/out/${jobArn.slice(-12)}/records.jsonl.out`,
    );
    const ids = Buffer.from(output)
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).recordId);
    expect([ids.length, new Set(ids).size]).toEqual([20_000, 20_000]);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
