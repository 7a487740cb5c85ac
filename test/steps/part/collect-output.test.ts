import { expect, test } from 'vitest';
import { PartLedger } from '../../../src/core/run/ledger.ts';
import { runLayout, runUriOf } from '../../../src/runs/run-layout.ts';
import { takeUp } from '../../../src/steps/run/take-up.ts';
import { readJson } from '../../../src/store/json-object.ts';
import { LOCAL_BUCKET } from '../../../src/targets/local/local-target.ts';
import { openEmulatedTarget, outputRows, runRows } from '../../support/emulated-run.ts';
import { type FaultyOutputs, type OutputFault, spoilOutputs } from '../../support/output-faults.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const layout = runLayout(runUriOf(LOCAL_BUCKET, 'emulated'));
const FOR_EVER = Number.POSITIVE_INFINITY;
const HOUR_MS = 3_600_000;

/** Runs of 150 rows whose first job’s output is spoilt. */
async function openTrial(fault: Omit<OutputFault, 'job'>) {
  const directory = await temporaryDirectory();
  let outputs: FaultyOutputs | undefined;
  const emulated = await openEmulatedTarget({
    directory,
    wrap: (target) => {
      outputs = spoilOutputs(target.store, { clock: target.deps.clock, faults: [{ job: 1, ...fault }] });
      return { ...target, deps: { ...target.deps, store: outputs.store } };
    },
  });
  return {
    directory,
    ...emulated,
    run: (options: Partial<Parameters<typeof runRows>[2]> = {}) =>
      runRows(150, emulated, { directory, ...options }),
    heal: async () => outputs?.heal(),
  };
}

test.each<[OutputFault['how'], number]>([
  ['absent', 1_000],
  ['absent', 20 * 60_000],
  ['cut-off', 5_000],
  ['gzipped', FOR_EVER],
  ['glued', FOR_EVER],
  ['renamed', FOR_EVER],
])(
  'output that is %s for %d ms is waited for or read as it is, and nothing is sent again',
  async (how, forMs) => {
    await using trial = await openTrial({ how, forMs });
    const result = await trial.run();
    expect(result).toMatchObject({
      kind: 'finished',
      summary: { status: 'succeeded', attempts: [{ attempts: 1, rows: 150, succeeded: 150 }], jobs: 1 },
    });
    const rows = await outputRows(result, trial.directory);
    expect(rows.every(({ name, response }) => String(response).includes(`Say ${name}`))).toBe(true);
    expect((await trial.emulator.usage()).totals).toMatchObject({ jobs: 1, answered: 150 });
  },
);

test.each<[OutputFault['how'], RegExp]>([
  [
    'absent',
    /processed 150 records, but 0 of them have an answer that can be read in s3:\/\/quarry-local\/working\/emulated\/model-output\/p00001\/[a-z0-9]{12}\/records\.jsonl\.out\./,
  ],
  [
    'cut-off',
    /processed 150 records, but \d\d of them have an answer that can be read in s3:.*records\.jsonl\.out\./,
  ],
])(
  'paid answers whose output stays %s stop the run with the object’s name; it is collected once it is there',
  async (how, says) => {
    await using trial = await openTrial({ how, forMs: 100 * HOUR_MS });
    const keys = { max_cost_usd: 1 };
    for (let time = 1; time <= 2; time += 1) {
      const stopped = await trial.run({ keys });
      expect(stopped).toMatchObject({
        kind: 'failed',
        error: 'UnreadableOutputError',
        message: expect.stringMatching(says),
      });
      expect(JSON.stringify(stopped)).toContain('resume it with --resend-missing');
      expect((await trial.emulator.usage()).totals).toMatchObject({ jobs: 1, answered: 150 });
    }
    await trial.heal();
    expect(await trial.run({ keys })).toMatchObject({
      kind: 'finished',
      summary: { status: 'succeeded', attempts: [{ attempts: 1, rows: 150, succeeded: 150 }] },
    });
    expect((await trial.emulator.usage()).totals).toMatchObject({ jobs: 1, answered: 150 });
  },
  60_000,
);

test.each([
  ['counts them', 0],
  ['is lost too', 150],
])(
  'answers that are given up are sent again, and those that were paid for count as spent, where their manifest %s',
  async (_, uncounted) => {
    await using trial = await openTrial({ how: 'absent', forMs: FOR_EVER });
    expect(await trial.run()).toMatchObject({ kind: 'failed', error: 'UnreadableOutputError' });
    const { store } = trial.target;
    if (uncounted > 0) {
      for await (const { uri } of store.list(layout.modelOutput('p00001'))) {
        if (uri.endsWith('manifest.json.out')) await store.delete(uri);
      }
    }
    const result = await trial.run({
      onClaimed: async (claimed) => void (await takeUp(claimed, { resendMissing: true }, store)),
    });
    const { totals, jobs } = await trial.emulator.usage();
    expect(totals).toMatchObject({ jobs: 2, answered: 300 });
    const told = uncounted > 0 ? 2 : 1;
    expect(result).toMatchObject({
      kind: 'finished',
      summary: {
        status: 'succeeded',
        attempts: [{ attempts: 2, rows: 150, succeeded: 150 }],
        tokens: { input: totals.inputTokens / told, output: totals.outputTokens / told },
      },
    });
    expect(jobs).toHaveLength(2);
    expect(await readJson(store, layout.ledger('p00001'), PartLedger)).toMatchObject({ uncounted });
    expect((await store.head(layout.resumed)) !== undefined).toBe(true);
  },
  60_000,
);
