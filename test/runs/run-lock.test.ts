import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { RunBusyError } from '../../src/core/errors.ts';
import { type ClaimRecord, claim, holderOf } from '../../src/runs/claim.ts';
import { runLayout } from '../../src/runs/run-layout.ts';
import { lockRun, workerOf } from '../../src/runs/run-lock.ts';
import { createDirectoryStore } from '../../src/store/directory-store.ts';
import { writeJson } from '../../src/store/json-object.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { identifyThisProcess, presenceOf } from '../../src/store/process-identity.ts';
import { openEmulatedTarget, runRows } from '../support/emulated-run.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const layout = runLayout('s3://bucket/runs/mine');
const run = { runId: 'mine', layout };

const MINUTE_MS = 60_000;
const LONG_AGO = '2026-01-01T00:00:00.000Z';

async function leaveClaim(changes: Partial<ClaimRecord['process']>, seen_at = LONG_AGO) {
  const directory = await temporaryDirectory();
  const store = createDirectoryStore(directory);
  const process = { ...(await identifyThisProcess()), ...changes };
  const record: ClaimRecord = { holder: 'left', process, since: LONG_AGO, seen_at, state: 'held', url: null };
  await writeJson(store, layout.lock, record);
  return { store, path: join(directory, 'bucket', 'locks', 'mine.json') };
}

const agoMs = (ms: number) => new Date(Date.now() - ms).toISOString();

test('a run has one process at work on it, and the next one is told which', async () => {
  const store = createDirectoryStore(await temporaryDirectory());
  const held = await lockRun(run, store);
  expect(await workerOf(layout, store)).toMatchObject({ process: { pid: process.pid }, state: 'held' });
  const second = lockRun(run, store);
  await expect(second).rejects.toThrow(RunBusyError);
  await expect(second).rejects.toThrow(
    new RegExp(`working on run "mine": process ${process.pid} on ${hostname()}, since \\S+\\.$`),
  );
  await held[Symbol.asyncDispose]();
  expect(await workerOf(layout, store)).toBeUndefined();
  await using again = await lockRun(run, store);
  expect(again).toBeDefined();
});

test('what a dead process left stops nobody, also where its id is used again or the machine was restarted', async () => {
  const dead = spawn(process.execPath, ['--version']);
  await once(dead, 'close');
  const leftBehind = [{ pid: dead.pid ?? 0 }, { started: 'long ago' }, { boot_id: 'another' }];
  for (const changes of leftBehind) {
    const { store } = await leaveClaim(changes);
    expect(await workerOf(layout, store)).toBeUndefined();
    await using _held = await lockRun(run, store);
    expect(await workerOf(layout, store)).toMatchObject({ process: { pid: process.pid } });
  }
});

test.each([
  ['an empty', ''],
  ['a broken-off', '{"holder": "left", "proc'],
  ['a foreign', '{"what": "is this?"}'],
])('%s lock file is nobody’s', async (_kind, body) => {
  const store = createDirectoryStore(await temporaryDirectory());
  await store.write(layout.lock, body);
  expect(await workerOf(layout, store)).toBeUndefined();
  await using _held = await lockRun(run, store);
  expect(await workerOf(layout, store)).toMatchObject({ process: { pid: process.pid } });
});

test('a process on another machine is taken to be alive for as long as it says so, and gone once it has long been silent', async () => {
  for (const changes of [{ host: 'elsewhere' }, { pid_namespace: 'pid:[1]' }]) {
    const fresh = agoMs(4 * MINUTE_MS);
    const { store, path } = await leaveClaim(changes, fresh);
    await expect(lockRun(run, store)).rejects.toThrow(
      `It is on another machine or in another container, where it cannot be seen from here. It was last seen at ${fresh}. If it has died since, the run is free again 5 minutes after that, or at once if you delete ${path}.`,
    );
    expect(await workerOf(layout, store)).toMatchObject({ seen_at: fresh });
    const silent = await leaveClaim(changes, agoMs(5 * MINUTE_MS + 1));
    expect(await workerOf(layout, silent.store)).toBeUndefined();
    await using held = await lockRun(run, silent.store);
    expect(held).toBeDefined();
  }
});

test('a live process on another machine of this one’s name keeps its run', async () => {
  const fresh = agoMs(MINUTE_MS / 2);
  const { store, path } = await leaveClaim({ boot_id: 'another' }, fresh);
  await expect(lockRun(run, store)).rejects.toThrow(
    `It started before this machine was booted, or is on another machine with the same name. It was last seen at ${fresh}. If it has died since, the run is free again a minute after that, or at once if you delete ${path}.`,
  );
  expect(await workerOf(layout, store)).toMatchObject({ seen_at: fresh });
});

test('a clock that was set back keeps nobody waiting for as long as it went back', async () => {
  const tomorrow = agoMs(-24 * 60 * MINUTE_MS);
  for (const changes of [{ started: 'long ago' }, { boot_id: 'another' }, { host: 'elsewhere' }]) {
    const { store } = await leaveClaim(changes, tomorrow);
    await using held = await lockRun(run, store);
    expect(held).toBeDefined();
  }
});

test('a process that is stopped is named, and how it goes on', async () => {
  const sleeper = spawn('sleep', ['60']);
  onTestFinished(() => void sleeper.kill('SIGKILL'));
  sleeper.kill('SIGSTOP');
  const stat = `/proc/${sleeper.pid}/stat`;
  await vi.waitUntil(async () => / T /.test(await readFile(stat, 'utf8')));
  const started = (await readFile(stat, 'utf8')).split(' ')[21] ?? '';
  const { store } = await leaveClaim({ pid: sleeper.pid ?? 0, started });
  await expect(lockRun(run, store)).rejects.toThrow(
    `That process is suspended (as by Ctrl-Z) and does not answer. Resume it with fg or kill -CONT ${sleeper.pid}, or end it with kill -KILL ${sleeper.pid}.`,
  );
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
  await store.delete(layout.lock);
  await vi.waitUntil(() => deleted.lost.aborted);
  await deleted[Symbol.asyncDispose]();

  await using overtaken = await hold();
  const other = { ...(await identifyThisProcess()), host: 'elsewhere' };
  const since = new Date().toISOString();
  const record: ClaimRecord = {
    holder: 'other',
    process: other,
    since,
    seen_at: since,
    state: 'held',
    url: null,
  };
  await writeJson(store, layout.lock, record);
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

test('whoever has not been able to say that it is there asks before it sends anything', async () => {
  const store = createDirectoryStore(await temporaryDirectory());
  const asked: string[] = [];
  const watched: ObjectStore = {
    ...store,
    replace: (uri, replacement) => {
      asked.push(uri);
      return store.replace(uri, replacement);
    },
  };
  const result = await claim(watched, layout.lock, { heartbeatMs: 100_000 });
  if (result.kind !== 'held') throw new Error('It is taken.');
  await using held = result.claim;
  await held.confirm();
  expect(asked).toHaveLength(1);
  vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 200_001);
  onTestFinished(() => void vi.restoreAllMocks());
  await held.confirm();
  expect(asked).toHaveLength(2);
  await writeJson(store, layout.lock, { ...(await workerOf(layout, store)), holder: 'other' });
  vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 400_002);
  await expect(held.confirm()).rejects.toThrow(RunBusyError);
  expect(held.lost.aborted).toBe(true);
});

test('a lease whose renewal was answered by nobody is still held', async () => {
  const store = createDirectoryStore(await temporaryDirectory());
  const losing: ObjectStore = {
    ...store,
    // It takes effect, and says that somebody else was quicker.
    replace: async (uri, replacement) => {
      const etag = await store.replace(uri, replacement);
      if (replacement.etag === undefined) return etag;
      losses += 1;
      return losses % 2 === 1 ? undefined : etag;
    },
  };
  let losses = 0;
  const result = await claim(losing, layout.lock);
  if (result.kind !== 'held') throw new Error('It is taken.');
  await using held = result.claim;
  await held.announce('http://127.0.0.1:1');
  expect(held.lost.aborted).toBe(false);
  expect(await workerOf(layout, store)).toMatchObject({ url: 'http://127.0.0.1:1' });
});
