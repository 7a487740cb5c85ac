import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { LOCAL_BUCKET } from '../../../src/targets/local/local-target.ts';
import { type EmulatedTarget, openEmulatedTarget, outputRows, runRows } from '../../support/emulated-run.ts';
import { readStored } from '../../support/stored-document.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

vi.setConfig({ testTimeout: 120_000 });

const NOVA = 'us.amazon.nova-lite-v1:0';
const VARIANTS = {
  short: { prompt_template: 'In a word: {name}', inference_parameters: { max_tokens: 20 } },
  nova: { model_id: NOVA },
};
/** Columns of the output that a variant has of its own. */
const OWN = ['response', 'error_code', 'error_message', 'stop_reason', 'attempts'];

async function summaryOf(emulated: EmulatedTarget, options: Parameters<typeof runRows>[2], rows = 250) {
  const result = await runRows(rows, emulated, options);
  if (result.kind !== 'finished') throw new Error(`It has not finished: ${JSON.stringify(result)}`);
  return { result, summary: result.summary };
}

test('each row is asked once in every variant, answers stand side by side, and each is kept', async () => {
  const directory = await temporaryDirectory();
  await using emulated = await openEmulatedTarget({
    directory,
    emulator: {
      faults: [
        { fault: { kind: 'record-errors', fraction: 0.1, errorCode: 400 } },
        { fault: { kind: 'missing-records', fraction: 0.1 } },
      ],
    },
  });
  const keys = { variants: VARIANTS, max_records_per_job: 120, max_attempts: 2 };
  const { result, summary } = await summaryOf(emulated, { directory, keys });
  const rows = await outputRows(result, directory);
  expect(rows.map(({ name }) => name)).toEqual(Array.from({ length: 250 }, (_, row) => `row ${row}`));
  expect(Object.keys(rows[0] ?? {}).filter((name) => name.endsWith('_nova'))).toEqual(
    [...OWN.slice(0, 4), 'input_tokens', 'output_tokens', 'attempts'].map((name) => `${name}_nova`),
  );
  expect(summary.rows.total).toBe(500);
  expect(summary.rows.failed).toBeGreaterThan(0);
  expect(summary.variants?.map(({ name, model_id, rows: own }) => [name, model_id, own.total])).toEqual([
    ['short', expect.stringContaining('claude'), 250],
    ['nova', NOVA, 250],
  ]);
  for (const { name, rows: own } of summary.variants ?? []) {
    expect(rows.filter((row) => row[`error_code_${name}`] === null)).toHaveLength(own.succeeded);
  }
  const { tracked, totals } = await emulated.emulator.usage();
  expect(tracked?.bodiesAnsweredMoreThanOnce).toEqual([]);

  // One of them alone takes the answers that are there, and asks for the others.
  const alone = await summaryOf(emulated, { directory, keys: { ...keys, variant: 'nova' } });
  const nova = summary.variants?.find(({ name }) => name === 'nova');
  expect(alone.summary.run_id).toBe('emulated-nova');
  expect(alone.summary.rows.reused).toBe(nova?.rows.succeeded);
  expect((await emulated.emulator.usage()).totals.jobs - totals.jobs).toBeLessThanOrEqual(1);
  for (const [index, row] of (await outputRows(alone.result, directory)).entries()) {
    if (row.reused_from === null) continue;
    expect(row.response).toBe(rows[index]?.response_nova);
  }
});

test('a run that breaks off at any step goes on to the same rows, and pays for none of them twice', async () => {
  const keys = { variants: VARIANTS, max_records_per_job: 120 };
  const clean = await temporaryDirectory();
  await using whole = await openEmulatedTarget({ directory: clean });
  const expected = await outputRows(await runRows(250, whole, { directory: clean, keys }), clean);

  const directory = await temporaryDirectory();
  await using emulated = await openEmulatedTarget({ directory });
  let broken = 0;
  for (let step = 1; step < 60; step += 1) {
    let begun = 0;
    const result = await runRows(250, emulated, {
      directory,
      keys,
      aroundTasks: (runTask) => async (call) => {
        const output = await runTask(call);
        begun += 1;
        if (begun === step) throw new Error('The process is gone.');
        return output;
      },
    }).catch((error: Error) => error);
    if (!(result instanceof Error) && result.kind === 'finished') {
      expect(await outputRows(result, directory)).toEqual(expected);
      expect(result.summary.rows).toEqual({ total: 500, succeeded: 500, failed: 0, not_sent: 0 });
      break;
    }
    broken += 1;
  }
  expect(broken).toBeGreaterThan(3);
  const { tracked, totals } = await emulated.emulator.usage();
  expect(tracked?.bodiesAnsweredMoreThanOnce).toEqual([]);
  expect(totals.jobs).toBe((await whole.emulator.usage()).totals.jobs);
});

test('models have slots of their own, and no more jobs than their quota in a wave', async () => {
  const directory = await temporaryDirectory();
  await using emulated = await openEmulatedTarget({ directory, quotas: { maxConcurrentJobs: 2 } });
  const keys = {
    variants: { ...VARIANTS, long: { prompt_template: 'At length: {name}' } },
    max_records_per_job: 100,
    pilot: false,
    run_id: 'slots',
  };
  await summaryOf(emulated, { directory, keys }, 300);
  const parts = await readStored(join(directory, LOCAL_BUCKET, 'runs/slots/waves/1/parts.json'));
  const byVariant = Map.groupBy(parts as { variant: number }[], ({ variant }) => variant);
  expect([...byVariant].map(([variant, list]) => [variant, list.length]).sort()).toEqual([
    [0, 1],
    [1, 2],
    [2, 1],
  ]);
});

test('variants may have schemas of their own, and bad answers are asked again in their variant', async () => {
  const directory = await temporaryDirectory();
  await using emulated = await openEmulatedTarget({
    directory,
    emulator: { faults: [{ fault: { kind: 'broken-answers', fraction: 0.3, firstAttemptOnly: true } }] },
  });
  const keys = {
    output_schema: { label: 'good | bad', stars: 'integer 1..5' },
    variants: { both: {}, nova: { model_id: NOVA, output_schema: { label: 'good | bad', why: 'string' } } },
    run_id: 'typed',
  };
  const { result, summary } = await summaryOf(emulated, { directory, keys }, 120);
  expect(summary.rows).toMatchObject({ total: 240, succeeded: 240 });
  expect(summary.attempts.map(({ attempts }) => attempts)).toEqual([1, 2]);
  const [row] = await outputRows(result, directory);
  expect(Object.keys(row ?? {}).filter((name) => /^(?:label|stars|why)/.test(name))).toEqual([
    'label_both',
    'stars_both',
    'label_nova',
    'why_nova',
  ]);
  expect(summary.agreement).toMatchObject([
    { a: 'both', b: 'nova', compared: 120, columns: [{ name: 'label', kappa: expect.any(Number) }] },
  ]);
});

test('one budget holds for all variants together', async () => {
  const directory = await temporaryDirectory();
  await using emulated = await openEmulatedTarget({ directory });
  // Each of the two alone would cost less.
  const keys = { variants: VARIANTS, max_cost_usd: 0.035 };
  const result = await runRows(250, emulated, { directory, keys });
  expect(result).toMatchObject({
    kind: 'failed',
    message: expect.stringContaining('over max_cost_usd 0.035'),
  });
  for (const variant of Object.keys(VARIANTS)) {
    expect((await runRows(250, emulated, { directory, keys: { ...keys, variant } })).kind).toBe('finished');
  }
});
