import { join } from 'node:path';
import { expect, test } from 'vitest';
import { functionPlaceholder } from '../../src/workflow/definition.ts';
import { openEmulatedTarget, runRows } from '../support/emulated-run.ts';
import { canMount, mountDisk } from '../support/small-disk.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** Steps that write scratch files. */
const STEPS = ['prepare', 'collect', 'repack', 'merge'] as const;

test.runIf(canMount).each(STEPS)(
  'where %s finds its scratch disk full, the run says so by name, and goes on once there is space',
  async (step) => {
    const directory = await temporaryDirectory();
    const disk = await mountDisk('64m');
    const resize = (size: string) => disk.remount(`size=${size}`);
    await using emulated = await openEmulatedTarget({
      directory,
      emulator: {
        faults: [{ fault: { kind: 'record-errors', fraction: 0.5, errorCode: 503, firstAttemptOnly: true } }],
      },
      wrap: (target) => ({
        ...target,
        deps: { ...target.deps, scratchDirectory: join(disk.path, 'scratch') },
      }),
    });
    let isFull = true;
    const run = () =>
      runRows(600, emulated, {
        directory,
        keys: { max_records_per_job: 300, pilot: false },
        aroundTasks: (runTask) => async (call) => {
          const { FunctionName } = call.parameters as { FunctionName?: string };
          if (!isFull || FunctionName !== functionPlaceholder(step)) return runTask(call);
          isFull = false;
          // Blocks of a tmpfs have 4 KiB.
          resize('4k');
          return runTask(call).finally(() => resize('64m'));
        },
      });
    expect(await run()).toMatchObject({
      kind: 'failed',
      error: 'DiskFullError',
      message: expect.stringContaining('The disk is full'),
    });
    expect(await run()).toMatchObject({
      kind: 'finished',
      summary: { status: 'succeeded', rows: { total: 600, succeeded: 600 } },
    });
    expect((await emulated.emulator.usage()).tracked?.answeredMoreThanOnce).toEqual([]);
  },
  120_000,
);
