import { expect, test } from 'vitest';
import { Quarry } from '../../../src/quarry/quarry.ts';
import { watchRun } from '../../../src/quarry/watch/watch-run.ts';
import type { LocalRunTarget } from '../../../src/runs/run-target.ts';
import type { ObjectStore } from '../../../src/store/object-store.ts';
import { openRunFiles } from '../../../src/targets/run-files.ts';
import { openEmulatedTarget, runRows } from '../../support/emulated-run.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

/** A store that counts what would change it, and does none of it. */
function readOnly(store: ObjectStore): { store: ObjectStore; writes: string[] } {
  const writes: string[] = [];
  const refuse = (name: string) => async () => {
    writes.push(name);
    throw new Error(`Watching called ${name}.`);
  };
  const changing = ['write', 'writeIfAbsent', 'replace', 'putFile', 'delete'];
  const refusals = Object.fromEntries(changing.map((name) => [name, refuse(name)]));
  return { store: { ...store, ...refusals }, writes };
}

/** The local target of a folder, and of an emulator that runs elsewhere. */
function localTarget(emulatorUrl: string | null): LocalRunTarget {
  return {
    kind: 'local',
    emulator_url: emulatorUrl,
    model_endpoint: null,
    records_per_job_quota: null,
    endpoint_model: null,
    endpoint_api_key_env: null,
    endpoint_concurrency: null,
    endpoint_timeout: null,
  };
}

/** The views of a run that is watched while it runs, and what watching would have written. */
async function watchedRun() {
  const directory = await temporaryDirectory();
  await using emulated = await openEmulatedTarget({ directory });
  using files = openRunFiles(localTarget(emulated.emulator.url), directory);
  const { store, writes } = readOnly(files.store);
  const planned = Promise.withResolvers<void>();
  const running = runRows(600, emulated, {
    directory,
    keys: { max_records_per_job: 200 },
    onProgress: ({ kind }) => kind === 'planned' && planned.resolve(),
  });
  await planned.promise;
  const { signal } = new AbortController();
  const views = watchRun('emulated', { files: { ...files, store }, signal, everyMs: 1 });
  const [seen] = await Promise.all([Array.fromAsync(views), running]);
  return { views: seen, writes };
}

test('watching reads the store and asks for jobs, and does nothing else', async () => {
  const { views, writes } = await watchedRun();
  expect(writes).toEqual([]);
  expect(views.at(-1)).toMatchObject({
    hasEnded: true,
    condition: 'succeeded',
    rows: { total: 600, succeeded: 600 },
    records: { done: 600, total: 600 },
  });
  const answered = views.flatMap(({ answers }) => answers);
  expect(answered.length).toBeGreaterThan(0);
  expect(answered[0]).toMatchObject({ errorCode: null, asked: expect.stringMatching(/^Say row \d+$/) });
  // Counts never go back while the run goes on.
  const done = views.map(({ records }) => records.done);
  expect(done).toEqual(done.toSorted((a, b) => a - b));
});

test('watching ends where it is told to', async () => {
  const directory = await temporaryDirectory();
  await using emulated = await openEmulatedTarget({ directory });
  expect(await runRows(200, emulated, { directory })).toMatchObject({ kind: 'finished' });
  const stop = new AbortController();
  stop.abort(new Error('Seen enough.'));
  using files = openRunFiles(localTarget(null), directory);
  const views = watchRun('emulated', { files, signal: stop.signal, everyMs: 1 });
  await expect(views.next()).rejects.toThrow('Seen enough.');
  expect(await Array.fromAsync(new Quarry({ directory }).watch('emulated', { signal: stop.signal }))).toEqual(
    [],
  );
});
