import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { RunBusyError } from '../../src/core/errors.ts';
import { ClaimRecord, claim, holderOf } from '../../src/runs/claim.ts';
import { identifyThisProcess, presenceOf } from '../../src/runs/process-identity.ts';
import { runLayout } from '../../src/runs/run-layout.ts';
import { lockRun, workerOf } from '../../src/runs/run-lock.ts';
import { createDirectoryStore } from '../../src/store/directory-store.ts';
import { writeJson } from '../../src/store/json-object.ts';
import { openEmulatedTarget, runRows } from '../support/emulated-run.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const layout = runLayout('s3://bucket/runs/mine');
const run = { runId: 'mine', layout };

async function leaveClaim(changes: Partial<ClaimRecord['process']>, seen_at: string | null = null) {
  const directory = await temporaryDirectory();
  const store = createDirectoryStore(directory);
  const process = { ...(await identifyThisProcess()), ...changes };
  const since = '2026-01-01T00:00:00.000Z';
  await writeJson(
    store,
    `${layout.lock}/0000000001-left.json`,
    ClaimRecord.parse({ process, since, seen_at, state: 'held', url: null }),
  );
  return { store, directory };
}

test('a run has one process at work on it, and the next one is told which', async () => {
  const store = createDirectoryStore(await temporaryDirectory());
  const held = await lockRun(run, store);
  expect(await workerOf(layout, store)).toMatchObject({ process: { pid: process.pid }, state: 'held' });
  const second = lockRun(run, store);
  await expect(second).rejects.toThrow(RunBusyError);
  await expect(second).rejects.toThrow(
    new RegExp(`at work on run "mine": process ${process.pid} on ${hostname()}, since \\S+\\.$`),
  );
  await held[Symbol.asyncDispose]();
  expect(await workerOf(layout, store)).toBeUndefined();
  await using again = await lockRun(run, store);
  expect(again).toBeDefined();
});

test('what a dead process left is swept away, also where its id is used again or the machine was restarted', async () => {
  const dead = spawn(process.execPath, ['--version']);
  await once(dead, 'close');
  const leftBehind = [{ pid: dead.pid ?? 0 }, { started: 'long ago' }, { boot_id: 'another' }];
  for (const changes of leftBehind) {
    const { store, directory } = await leaveClaim(changes);
    await using _held = await lockRun(run, store);
    const names = await readdir(join(directory, 'bucket', 'locks', 'mine'));
    expect(names).toHaveLength(1);
    expect(names).not.toContain('0000000001-left.json');
  }
});

test('a process on another machine is taken to be alive for as long as it says so, and gone once it has long been silent', async () => {
  for (const changes of [{ host: 'elsewhere' }, { pid_namespace: 'pid:[1]' }]) {
    const fresh = new Date().toISOString();
    const { store } = await leaveClaim(changes, fresh);
    await expect(lockRun(run, store)).rejects.toThrow(
      new RegExp(
        `It was there at ${fresh}\\. .*free 5 minutes after that, .*delete s3://bucket/locks/mine/0000000001-left\\.json`,
      ),
    );
    expect(await workerOf(layout, store)).toMatchObject({ seen_at: fresh });
    const silent = await leaveClaim(changes, '2026-01-01T00:00:00.000Z');
    expect(await workerOf(layout, silent.store)).toBeUndefined();
    await using held = await lockRun(run, silent.store);
    expect(held).toBeDefined();
  }
});

test('a process that holds a run says again and again that it is there, and notices when the run is taken away', async () => {
  const store = createDirectoryStore(await temporaryDirectory());
  const hold = async () => {
    const result = await claim(store, layout.lock, { heartbeatMs: 5 });
    if (result.kind !== 'held') throw new Error('It is taken.');
    return result.claim;
  };
  const first = await hold();
  const seenAt = async () => (await workerOf(layout, store))?.seen_at;
  const before = await seenAt();
  await vi.waitUntil(async () => (await seenAt()) !== before);
  await first[Symbol.asyncDispose]();
  expect(first.lost.aborted).toBe(false);
  expect(await workerOf(layout, store)).toBeUndefined();

  const deleted = await hold();
  for await (const { uri } of store.list(layout.lock)) await store.delete(uri);
  await vi.waitUntil(() => deleted.lost.aborted);
  await deleted[Symbol.asyncDispose]();

  await using overtaken = await hold();
  const other = { ...(await identifyThisProcess()), host: 'elsewhere' };
  const since = new Date().toISOString();
  await writeJson(store, `${layout.lock}/other.json`, {
    process: other,
    since,
    seen_at: since,
    state: 'held',
    url: null,
  });
  await vi.waitUntil(() => overtaken.lost.aborted);
  expect(await workerOf(layout, store)).toMatchObject({ process: { host: 'elsewhere' } });
});

test('a run that is taken away sends nothing more, and says who has it', async () => {
  const directory = await temporaryDirectory();
  await using world = await openEmulatedTarget({ directory });
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const { store } = world.target;
  const result = await runRows(300, world, {
    directory,
    aroundTasks: (runTask) => async (call) => {
      const output = await runTask(call);
      if (!JSON.stringify(call.parameters).includes('prepare')) return output;
      for await (const { uri } of store.list('s3://quarry-local/locks/')) await store.delete(uri);
      await vi.advanceTimersByTimeAsync(60_000);
      return output;
    },
  });
  expect(result).toMatchObject({ kind: 'failed', error: 'RunBusyError' });
  expect((result as { message: string }).message).toMatch(
    /has taken run "emulated" over.* It sends nothing more\./,
  );
  expect((await world.emulator.usage()).totals).toMatchObject({ jobs: 0 });
});

test('a process on another machine that never says that it is there is taken to be alive', async () => {
  for (const changes of [{ host: 'elsewhere' }, { pid_namespace: 'pid:[1]' }]) {
    const { store } = await leaveClaim(changes);
    await expect(lockRun(run, store)).rejects.toThrow(
      /Whether it is alive cannot be seen from here\. .*delete s3:\/\/bucket\/locks\/mine\/0000000001-left\.json/,
    );
  }
});

test('of many that come at once exactly one gets the run, every time', async () => {
  const store = createDirectoryStore(await temporaryDirectory());
  for (let round = 0; round < 25; round += 1) {
    const results = await Promise.all(Array.from({ length: 6 }, () => claim(store, layout.lock)));
    const held = results.filter(({ kind }) => kind === 'held');
    expect(held).toHaveLength(1);
    for (const result of held) if (result.kind === 'held') await result.claim[Symbol.asyncDispose]();
  }
  expect(await holderOf(store, layout.lock)).toBeUndefined();
});

test('a stale lock that many find at once is taken over by one of them', async () => {
  for (let round = 0; round < 10; round += 1) {
    const { store } = await leaveClaim({ started: 'long ago' });
    const results = await Promise.all(Array.from({ length: 6 }, () => claim(store, layout.lock)));
    expect(results.filter(({ kind }) => kind === 'held')).toHaveLength(1);
  }
});

test('a process knows itself and its parent, and no process that has ended', async () => {
  const me = await identifyThisProcess();
  expect(await presenceOf(me)).toBe('alive');
  expect(await presenceOf({ ...me, pid: process.ppid, started: null })).toBe('alive');
  expect(await presenceOf({ ...me, pid: process.ppid })).toBe('gone');
  expect(await presenceOf({ ...me, pid: 2 ** 22 + 1 })).toBe('gone');
});
