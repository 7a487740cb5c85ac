import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RunEvent } from '../../../src/core/run/run-event.ts';
import type { RunState } from '../../../src/steps/run/run-state.ts';
import { summarize } from '../../../src/steps/run/summarize.ts';
import type { ObjectStore } from '../../../src/store/object-store.ts';
import type { EngineTarget } from '../../../src/targets/embedded/engine-target.ts';
import { type EmulatedTarget, openEmulatedTarget, runRows } from '../../support/emulated-run.ts';
import { asStep } from '../../support/step-policies.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

/** A target whose store refuses to write a report. */
function withoutReports(target: EngineTarget): EngineTarget {
  const { store } = target.deps;
  const write: ObjectStore['write'] = async (uri, body) => {
    if (uri.endsWith('/report.html')) throw new Error('The disk said no.');
    return store.write(uri, body);
  };
  return { ...target, deps: { ...target.deps, store: { ...store, write } } };
}

/** What a finished run's execution says of its report. */
async function reportUri({ target }: EmulatedTarget): Promise<string | null> {
  const state: Partial<RunState> = { run_uri: 's3://quarry-local/runs/emulated', wave: 1 };
  return (await asStep('summarize', () => summarize(state as RunState, target.deps))).report_uri;
}

test('Summarize killed before its report was whole writes it when it runs again, byte for byte', async () => {
  const directory = await temporaryDirectory();
  await using world = await openEmulatedTarget({ directory });
  const run = () => runRows(120, world, { directory });
  expect((await run()).kind).toBe('finished');
  const page = join(directory, 'quarry-local/runs/emulated/report.html');
  const first = await readFile(page, 'utf8');
  expect(first).toContain('<meta name="quarry-run" content="emulated ');
  await rm(page);
  await run();
  expect(await readFile(page, 'utf8')).toBe(first);
  // One of an earlier end of the run gives way.
  await writeFile(
    page,
    first.replace(/content="emulated [^"]+"/, 'content="emulated 2020-01-01T00:00:00.000Z"'),
  );
  await run();
  expect(await readFile(page, 'utf8')).toBe(first);
  expect(await reportUri(world)).toBe('s3://quarry-local/runs/emulated/report.html');
});

test('a report that cannot be written is told, and the run has ended all the same', async () => {
  const directory = await temporaryDirectory();
  await using world = await openEmulatedTarget({ directory, wrap: withoutReports });
  const events: RunEvent[] = [];
  const result = await runRows(120, world, {
    directory,
    onProgress: (event) => events.push(event as RunEvent),
  });
  expect(result).toMatchObject({ kind: 'finished', summary: { status: 'succeeded' } });
  const notices = events.flatMap((event) => (event.kind === 'notice' ? [event.message] : []));
  expect(notices).toEqual([
    'The report could not be written: The disk said no. The run and its results are whole. To write it again: quarry report emulated',
  ]);
  expect(await reportUri(world)).toBeNull();
});
