import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { ClaimRecord } from '../../../src/runs/claim.ts';
import { createDirectoryStore } from '../../../src/store/directory-store.ts';
import { writeJson } from '../../../src/store/json-object.ts';
import { identifyThisProcess } from '../../../src/store/process-identity.ts';
import { startEmulatorProcess, startQuarry } from '../../support/quarry-process.ts';
import { runQuarry } from '../../support/run-quarry.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

async function prepareRun(rows: number) {
  const directory = await temporaryDirectory();
  const file = join(directory, 'rows.csv');
  await writeFile(file, `n\n${Array.from({ length: rows }, (_, index) => index).join('\n')}\n`);
  const dir = join(directory, 'store');
  const flags = ['--model-id', 'us.amazon.nova-lite-v1:0', '--prompt-template', 'Say {n}', '--dir', dir];
  return { file, dir, flags };
}

test('beside a process that is stopped, each command says soon which one it is and how it goes on', async () => {
  const { file, dir, flags } = await prepareRun(300);
  const first = startQuarry('run', file, ...flags, '--run-id', 'mine', '--json');
  await first.printed('Wave 1');
  first.signal('SIGSTOP');
  onTestFinished(() => first.signal('SIGCONT'));
  const advice = `Resume it with fg or kill -CONT ${first.pid}, or end it with kill -KILL ${first.pid}.`;
  const commands = [
    ['run', file, ...flags, '--run-id', 'other'],
    ['resume', 'mine', '--dir', dir],
    ['jobs', '--dir', dir],
    ['cancel', 'mine', '--dir', dir],
  ];
  for (const command of commands) {
    const startedAtMs = performance.now();
    const stuck = startQuarry(...command);
    expect(await stuck.ended, stuck.err()).toBe(1);
    expect(stuck.err()).toContain(`Process ${first.pid} on `);
    expect(stuck.err()).toContain(advice);
    expect(performance.now() - startedAtMs).toBeLessThan(60_000);
  }
  expect((await runQuarry('status', 'mine', '--dir', dir)).out).toContain(advice);
  first.signal('SIGCONT');
  expect(await first.ended, first.err()).toBe(2);
  expect(JSON.parse(first.out())).toMatchObject({ status: 'cancelled' });
  const resumed = await runQuarry('resume', 'mine', '--dir', dir, '--json');
  expect(JSON.parse(resumed.out)).toMatchObject({ status: 'succeeded', rows: { succeeded: 300 } });
}, 240_000);

test('a run whose emulator’s process is stopped waits for it, says so, and goes on with it', async () => {
  const { file, dir, flags } = await prepareRun(300);
  const emulator = await startEmulatorProcess(dir, { timeScale: 3 });
  const run = startQuarry('run', file, ...flags, '--json');
  await run.printed('Wave 1');
  emulator.signal('SIGSTOP');
  onTestFinished(() => emulator.signal('SIGCONT'));
  await run.printed(new RegExp(`Process ${emulator.pid} on .* kill -CONT ${emulator.pid}`));
  emulator.signal('SIGCONT');
  expect(await run.ended, run.err()).toBe(0);
}, 240_000);

test('a folder that another machine is working on says so, and which file to delete should that one have died', async () => {
  const { file, dir, flags } = await prepareRun(3);
  const seen_at = new Date().toISOString();
  const record: ClaimRecord = {
    holder: 'other',
    process: { ...(await identifyThisProcess()), host: 'elsewhere' },
    since: seen_at,
    seen_at,
    state: 'held',
    url: 'http://127.0.0.1:1',
  };
  await writeJson(createDirectoryStore(join(dir, '.emulator')), 's3://claims/emulator.json', record);
  const path = join(dir, '.emulator', 'claims', 'emulator.json');
  const { status, err } = await runQuarry('run', file, ...flags);
  expect(status).toBe(1);
  expect(err).toContain(
    `Error: Process ${process.pid} on elsewhere, which serves the Bedrock emulator of this folder, cannot be reached from here. It is on another machine or in another container, where it cannot be seen from here. It was last seen at ${seen_at}. If it has died since, the run is free again 5 minutes after that, or at once if you delete ${path}.`,
  );
}, 60_000);
