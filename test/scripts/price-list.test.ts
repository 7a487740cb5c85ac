import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { differencesFrom, PriceListFile, pricesIn, readPriceList } from '../../scripts/price-list.ts';
import { Prices } from '../../src/core/run-input/prices.ts';

const HAIKU = 'anthropic.claude-haiku-4-5-20251001-v1:0';
const read = async (name: string) =>
  readPriceList(
    PriceListFile.parse(
      JSON.parse(await readFile(new URL(`../fixtures/price-list/${name}.json`, import.meta.url), 'utf8')),
    ),
  );
const both = async () => [...(await read('AmazonBedrock')), ...(await read('AmazonBedrockFoundationModels'))];

test('both files of AWS become prices for a million tokens, as a run input has them', async () => {
  const prices = pricesIn(await both(), 'us-east-1');
  expect(Prices.parse(prices)).toEqual(prices);
  expect(prices['amazon.nova-lite-v1:0']).toEqual({
    input_per_million: 0.03,
    output_per_million: 0.12,
    on_demand_input_per_million: 0.06,
    on_demand_output_per_million: 0.24,
  });
  const onDemand = { on_demand_input_per_million: 1.1, on_demand_output_per_million: 5.5 };
  expect(prices[HAIKU]).toEqual({ input_per_million: 0.55, output_per_million: 2.75, ...onDemand });
  expect(prices[`global.${HAIKU}`]).toMatchObject({ input_per_million: 0.5, output_per_million: 2.5 });
  // The file calls it Nova 2.0 Lite.
  expect(Object.keys(prices).filter((id) => id.includes('nova-2-lite'))).toHaveLength(2);
});

test('caches, other tiers, reserved capacity and other regions are no price of a token in batch or on demand', async () => {
  const listed = await both();
  expect(listed.filter(({ region }) => region === 'us-east-1')).toHaveLength(16);
  expect(pricesIn(listed, 'eu-west-1')).toEqual({
    'amazon.nova-lite-v1:0': { input_per_million: 0.039, output_per_million: 0 },
  });
  expect(pricesIn(listed, 'sa-east-1')).toEqual({});
});

test('where the catalogue has another price is told', async () => {
  const prices = pricesIn(await both(), 'us-east-1');
  expect(differencesFrom(prices).map(({ id }) => id)).not.toContain('amazon.nova-lite-v1:0');
  const dearer = { ...prices, 'amazon.nova-lite-v1:0': { input_per_million: 1, output_per_million: 2 } };
  expect(differencesFrom(dearer)).toContainEqual({
    id: 'amazon.nova-lite-v1:0',
    catalogue: { input: 0.03, output: 0.12 },
    listed: { input: 1, output: 2 },
  });
});
