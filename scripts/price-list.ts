import { z } from 'zod';
import type { Prices } from '../src/core/run-input/prices.ts';
import { MODEL_CATALOG } from '../src/models/catalog/model-catalog.ts';
import type { TokenPrice } from '../src/models/catalog/model-facts.ts';

/**
 * A price list file of a service of AWS, as its bulk API gives it (`current/index.json`), as far as it is read here.
 * https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/reading-service-price-list-file-for-services.html
 */
export const PriceListFile = z.object({
  offerCode: z.enum(['AmazonBedrock', 'AmazonBedrockFoundationModels']),
  publicationDate: z.string(),
  products: z.record(
    z.string(),
    z.object({
      attributes: z.object({
        usagetype: z.string(),
        regionCode: z.string().optional(),
        /** Of AmazonBedrock. */
        model: z.string().optional(),
        /** Of AmazonBedrockFoundationModels: `Claude Haiku 4.5 (Amazon Bedrock Edition)`. */
        servicename: z.string().optional(),
      }),
    }),
  ),
  terms: z.object({
    OnDemand: z.record(
      z.string(),
      z.record(
        z.string(),
        z.object({
          priceDimensions: z.record(
            z.string(),
            z.object({ unit: z.string(), pricePerUnit: z.object({ USD: z.string().optional() }) }),
          ),
        }),
      ),
    ),
  }),
});
export type PriceListFile = z.infer<typeof PriceListFile>;

/** A price of tokens in such a file. */
export interface ListedPrice {
  /** As the file calls it. */
  model: string;
  region: string;
  what: 'input' | 'output';
  way: 'batch' | 'on_demand';
  /** Through `global.` profiles, or by the plain id and profiles of one geography. */
  isGlobal: boolean;
  /** US dollars for a million tokens. */
  usd: number;
}

/** Tokens in one unit of a price. */
const TOKENS_OF_UNIT: Readonly<Record<string, number>> = { '1K tokens': 1_000, '1M tokens': 1_000_000 };

/**
 * How usage types end, of text tokens by the standard tier or in batch: `USE1-NovaLite-input-tokens-batch` in one file,
 * `USE1-MP:USE1_InputTokenCount_Global_Batch-Units` in the other. Caches, flex, priority, images and reserved capacity end otherwise.
 */
const USAGE = /-(input|output)-tokens(-cross-region-global)?(-batch)?$/;
const MARKETPLACE_USAGE = /_(Input|Output)TokenCount(_Global)?(_Batch)?-Units$/;

/** The prices of text tokens in a price list file, on demand and in batch. */
export function readPriceList(file: PriceListFile): ListedPrice[] {
  return Object.entries(file.products).flatMap(([sku, { attributes }]): ListedPrice[] => {
    const { usagetype, regionCode = '', model, servicename = '' } = attributes;
    const usage = USAGE.exec(usagetype) ?? MARKETPLACE_USAGE.exec(usagetype);
    const name = model ?? servicename.replace(/ \(Amazon Bedrock Edition\)$/, '');
    const usd = usdPerMillion(file, sku);
    if (usage === null || name === '' || usd === undefined) return [];
    return [
      {
        model: name,
        region: regionCode,
        what: usage[1]?.toLowerCase() === 'output' ? 'output' : 'input',
        way: usage[3] === undefined ? 'on_demand' : 'batch',
        isGlobal: usage[2] !== undefined,
        usd,
      },
    ];
  });
}

function usdPerMillion({ terms }: PriceListFile, sku: string): number | undefined {
  const [term] = Object.values(terms.OnDemand[sku] ?? {});
  const [dimension] = Object.values(term?.priceDimensions ?? {});
  const tokens = TOKENS_OF_UNIT[dimension?.unit ?? ''];
  const usd = Number(dimension?.pricePerUnit.USD);
  // Twelve digits: a thousandth of a token's price has no more.
  return tokens === undefined || !(usd >= 0)
    ? undefined
    : Number(((usd * 1_000_000) / tokens).toPrecision(12));
}

/** Prices of models of the catalogue in one region, as a run input's `prices` has them; `global.` ids where these have prices of their own. */
export function pricesIn(listed: readonly ListedPrice[], region: string): Prices {
  const here = listed.filter((price) => price.region === region);
  const prices: Prices = {};
  for (const { id, name } of MODEL_CATALOG) {
    const ofModel = here.filter(({ model }) => plainName(model) === plainName(name));
    for (const isGlobal of [false, true]) {
      const usd = (way: ListedPrice['way'], what: ListedPrice['what']) =>
        ofModel.find((price) => price.isGlobal === isGlobal && price.way === way && price.what === what)?.usd;
      const input = usd('batch', 'input');
      if (input === undefined) continue;
      const onDemand = { input: usd('on_demand', 'input'), output: usd('on_demand', 'output') };
      prices[isGlobal ? `global.${id}` : id] = {
        input_per_million: input,
        output_per_million: usd('batch', 'output') ?? 0,
        ...(onDemand.input === undefined ? {} : { on_demand_input_per_million: onDemand.input }),
        ...(onDemand.output === undefined ? {} : { on_demand_output_per_million: onDemand.output }),
      };
    }
  }
  return prices;
}

/** `nova2lite` of `Nova 2.0 Lite` and of `Amazon Nova 2 Lite`: the files and AWS's pages spell names otherwise. */
function plainName(name: string): string {
  return name
    .toLowerCase()
    .replace(/^(amazon|anthropic|meta|mistral ai|openai) /, '')
    .replace(/\.0\b/g, '')
    .replace(/[^a-z0-9]/g, '');
}

/** A row of the catalogue whose price is another one in the list. */
export interface PriceDifference {
  id: string;
  catalogue: TokenPrice;
  listed: TokenPrice;
}

/** Where the catalogue's batch prices are not those of the list; models that one of them does not have are left out. */
export function differencesFrom(prices: Prices): PriceDifference[] {
  return MODEL_CATALOG.flatMap(({ id, price }) => {
    if (price === undefined) return [];
    const pairs = [
      [id, price.regional ?? price.batch],
      [`global.${id}`, price.batch],
    ] as const;
    return pairs.flatMap(([key, catalogue]): PriceDifference[] => {
      const given = prices[key];
      if (given === undefined) return [];
      const listed = { input: given.input_per_million, output: given.output_per_million };
      return listed.input === catalogue.input && listed.output === catalogue.output
        ? []
        : [{ id: key, catalogue, listed }];
    });
  });
}
