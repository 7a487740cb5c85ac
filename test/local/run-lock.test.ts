import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RunBusyError } from '../../src/core/errors.ts';
import { ClaimRecord, claim, holderOf } from '../../src/local/claim.ts';
import { identifyThisProcess, presenceOf } from '../../src/local/process-identity.ts';
import { lockRun, workerOf } from '../../src/local/run-lock.ts';
import { createDirectoryStore } from '../../src/store/directory-store.ts';
import { writeJson } from '../../src/store/json-object.ts';
import { runLayout } from '../../src/store/run-layout.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const layout = runLayout('s3://bucket/runs/mine');
const run = { runId: 'mine', layout };

async function leaveClaim(changes: Partial<ClaimRecord['process']>, state: ClaimRecord['state'] = 'held') {
  const directory = await temporaryDirectory();
  const store = createDirectoryStore(directory);
  const process = { ...(await identifyThisProcess()), ...changes };
  const since = '2026-01-01T00:00:00.000Z';
  await writeJson(
    store,
    `${layout.lock}/0000000001-left.json`,
    ClaimRecord.parse({ process, since, state, url: null }),
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
    new RegExp(
      `at work on run "mine": process ${process.pid} on ${hostname()}, since .* quarry status mine\\. .*quarry cancel mine`,
    ),
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

test('a process on another machine, or in another container, is taken to be alive', async () => {
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
