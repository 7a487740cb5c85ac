/**
 * Reads price list files of AWS into prices of the catalogue's models, for `--prices` and `prices`: `npm run prices -- FILE… --region us-east-1`.
 * With `--check`, prints where the catalogue has other prices, and ends with 1 if there are any. The files are
 * https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/AmazonBedrock/current/index.json, and the same of AmazonBedrockFoundationModels.
 */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { differencesFrom, PriceListFile, pricesIn, readPriceList } from './price-list.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { region: { type: 'string', default: 'us-east-1' }, check: { type: 'boolean', default: false } },
});
if (positionals.length === 0) throw new Error('Name one or more price list files.');
const files = await Promise.all(
  positionals.map(async (path) => PriceListFile.parse(JSON.parse(await readFile(path, 'utf8')))),
);
const prices = pricesIn(files.flatMap(readPriceList), values.region);
if (values.check) {
  const differences = differencesFrom(prices);
  for (const { id, catalogue, listed } of differences) {
    console.log(
      `${id}: $${catalogue.input} / $${catalogue.output} in the catalogue, $${listed.input} / $${listed.output} in the list`,
    );
  }
  console.log(
    `${Object.keys(prices).length} prices in ${values.region}, ${differences.length} of them others than the catalogue’s.`,
  );
  if (differences.length > 0) process.exitCode = 1;
} else {
  console.log(JSON.stringify(prices, null, 2));
}
