import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { InvalidRunInputError, Quarry } from '../../src/index.ts';
import { runQuarry } from '../support/run-quarry.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const MODEL = 'us.amazon.nova-lite-v1:0';
/** A model that the catalogue has no price of. */
const UNPRICED = 'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123';
const PRICE = { input_per_million: 100, output_per_million: 1000 };
const PRICES = { [MODEL]: PRICE };
const ASK = { model: MODEL, prompt: 'Say {n}', dataset: Array.from({ length: 150 }, (_, n) => ({ n })) };

async function open(options: ConstructorParameters<typeof Quarry>[0] = {}) {
  const directory = await temporaryDirectory();
  return { directory, quarry: new Quarry({ directory: join(directory, 'store'), ...options }) };
}

test('prices of the run input hold in the plan, the budget, the summary and the status', async () => {
  const { quarry } = await open();
  const { estimate } = await quarry.plan({ ...ASK, prices: PRICES });
  expect(estimate.prices_from).toBe('run_input');
  expect(estimate.input_usd).toBeCloseTo(estimate.input_tokens * 100e-6, 10);
  expect(estimate.max_usd).toBeCloseTo(
    (estimate.max_input_tokens ?? 0) * 100e-6 + estimate.max_output_tokens * 1000e-6,
    10,
  );
  const dear = quarry.run({ ...ASK, prices: PRICES, max_cost_usd: 1 });
  await expect(dear).rejects.toThrow(
    `This run could cost about $${estimate.max_usd?.toFixed(2)} (input alone about $${estimate.input_usd?.toFixed(2)}), over max_cost_usd 1.`,
  );
  expect((await quarry.runs()).runs).toEqual([]);

  const stop = new AbortController();
  const stopped = await quarry.run(
    { ...ASK, prices: PRICES, run_id: 'mine' },
    { signal: stop.signal, onProgress: ({ kind }) => kind === 'collected' && stop.abort() },
  );
  await stopped.result.catch(() => {});
  const status = await quarry.status('mine');
  if (status.kind !== 'unfinished' || status.progress === undefined) throw new Error(status.kind);
  const { tokens, cost_usd } = status.progress;
  expect(cost_usd).toBeCloseTo(tokens.input * 100e-6 + tokens.output * 1000e-6, 10);

  // They decide no answer: the same run goes on by others.
  const halved = { [MODEL]: { input_per_million: 50, output_per_million: 500 } };
  const run = await quarry.run({ ...ASK, prices: halved, run_id: 'mine' });
  const summary = await run.result;
  expect(summary.tokens).toEqual(tokens);
  expect(summary.cost_usd).toBeCloseTo(Number(cost_usd) / 2, 10);
});

test('rows on demand cost twice as much, or what is said', async () => {
  const { quarry } = await open();
  const few = { ...ASK, dataset: ASK.dataset.slice(0, 2) };
  const { estimate } = await quarry.plan({ ...few, prices: PRICES });
  expect(estimate.input_usd).toBeCloseTo(estimate.input_tokens * 200e-6, 10);
  const prices = { [MODEL]: { ...PRICE, on_demand_input_per_million: 300, on_demand_output_per_million: 7 } };
  const run = await quarry.run({ ...few, prices });
  const { tokens, cost_usd } = await run.result;
  expect(cost_usd).toBeCloseTo(tokens.input * 300e-6 + tokens.output * 7e-6, 10);
});

test('a model without a price has a budget by a price that is given, by its own id', async () => {
  const { quarry } = await open();
  const ask = { ...ASK, model: UNPRICED, base_model_id: 'qwen.none-v1:0', force: true, max_cost_usd: 1 };
  await expect(quarry.plan(ask)).rejects.toThrow(
    'max_cost_usd cannot be kept: no price of this model is known. Give one with prices,',
  );
  const prices = { [UNPRICED]: { input_per_million: 1, output_per_million: 1 } };
  expect((await quarry.plan({ ...ask, prices })).estimate.prices_from).toBe('run_input');
});

test('options have prices of many models: only the run’s own goes into its input, and the run input’s wins', async () => {
  const { quarry } = await open({ prices: { ...PRICES, other: PRICE } });
  const run = await quarry.run(ASK);
  await run.result;
  expect(run.plan?.input.prices).toEqual(PRICES);
  const own = { [MODEL]: { input_per_million: 1, output_per_million: 1 } };
  const again = await quarry.run({ ...ASK, prices: own });
  await again.result;
  expect([again.id, again.plan?.input.prices]).toEqual([run.id, own]);
  expect(() => new Quarry({ prices: { [MODEL]: { ...PRICE, in: 1 } } } as never)).toThrow(
    InvalidRunInputError,
  );
  expect(() => new Quarry({ prices: { [MODEL]: { ...PRICE, input_per_milion: 1 } } } as never)).toThrow(
    `prices.${MODEL}: "input_per_milion" is not one of them (did you mean "input_per_million"?)`,
  );
});

test('quarry.config.json has them, the command line tells them, and --prices wins', async () => {
  const { directory } = await open();
  const before = process.cwd();
  onTestFinished(() => process.chdir(before));
  await mkdir(join(directory, 'project'));
  process.chdir(join(directory, 'project'));
  const write = (prices: unknown) => writeFile('quarry.config.json', JSON.stringify({ prices }));
  await writeFile('rows.csv', 'n\n1\n2\n');
  await write(PRICES);
  const { out } = await runQuarry('config', '--json');
  expect(JSON.parse(out)).toContainEqual({
    option: 'prices',
    value: PRICES,
    from: join(process.cwd(), 'quarry.config.json'),
  });
  expect((await runQuarry('config')).out).toContain('"input_per_million":100');
  const plan = (...args: string[]) =>
    runQuarry('plan', 'rows.csv', '--model-id', MODEL, '--prompt-template', 'Say {n}', ...args);
  expect((await plan()).out).toContain('by your own prices: an estimate');
  const dear = await plan(
    '--json',
    '--prices',
    JSON.stringify({ [MODEL]: { ...PRICE, input_per_million: 1e9 } }),
  );
  expect(JSON.parse(dear.out).estimate.input_usd).toBeGreaterThan(1000);
  expect((await plan('--prices', '{')).err).toMatch(/^Error: --prices is not JSON: /);
  await write({ [MODEL]: { ...PRICE, output_per_milion: 1 } });
  const { status, err } = await plan();
  expect([status, err]).toEqual([
    1,
    expect.stringContaining(
      `  - prices.${MODEL}: "output_per_milion" is not one of them (did you mean "output_per_million"?)\n`,
    ),
  ]);
});
