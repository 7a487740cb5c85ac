import { parseModelId } from './model-id.ts';

/** US dollars for a million tokens. */
export interface TokenPrice {
  input: number;
  output: number;
}

/** Day on which the table below was read. Prices differ by region and change: they are an estimate, never a bill. */
export const PRICES_AS_OF = '2026-09-30';

/** What batch inference costs, half of on-demand. A regional profile may cost more than `global.`. */
interface BatchPrice {
  /** Ids of the model start like this; the first entry that fits is taken. */
  model: RegExp;
  price: TokenPrice;
  /** Price elsewhere than through `global.`, where it differs. */
  regional?: TokenPrice;
}

/** https://aws.amazon.com/bedrock/pricing/ */
const BATCH_PRICES: readonly BatchPrice[] = [
  { model: /^amazon\.nova-micro-v1/, price: { input: 0.0175, output: 0.07 } },
  { model: /^amazon\.nova-lite-v1/, price: { input: 0.03, output: 0.12 } },
  { model: /^amazon\.nova-pro-v1/, price: { input: 0.4, output: 1.6 } },
  {
    model: /^amazon\.nova-2-lite/,
    price: { input: 0.15, output: 1.25 },
    regional: { input: 0.1595, output: 1.3255 },
  },
  { model: /^amazon\.titan-embed-text-v2/, price: { input: 0.01, output: 0 } },
  {
    model: /^anthropic\.claude-haiku-4-5/,
    price: { input: 0.5, output: 2.5 },
    regional: tenthMore({ input: 0.5, output: 2.5 }),
  },
  {
    model: /^anthropic\.claude-sonnet-4-[56]/,
    price: { input: 1.5, output: 7.5 },
    regional: tenthMore({ input: 1.5, output: 7.5 }),
  },
  { model: /^anthropic\.claude-sonnet-4/, price: { input: 1.5, output: 7.5 } },
  {
    model: /^anthropic\.claude-opus-(?:4-[56]|5)/,
    price: { input: 2.5, output: 12.5 },
    regional: tenthMore({ input: 2.5, output: 12.5 }),
  },
  { model: /^anthropic\.claude-3-(?:[57]-)?sonnet/, price: { input: 1.5, output: 7.5 } },
  { model: /^anthropic\.claude-3-5-haiku/, price: { input: 0.4, output: 2 } },
  { model: /^anthropic\.claude-3-haiku/, price: { input: 0.125, output: 0.625 } },
  { model: /^anthropic\.claude-3-opus/, price: { input: 7.5, output: 37.5 } },
  { model: /^openai\.gpt-oss-20b/, price: { input: 0.035, output: 0.15 } },
  { model: /^openai\.gpt-oss-120b/, price: { input: 0.075, output: 0.3 } },
  { model: /^meta\.llama4-scout/, price: { input: 0.085, output: 0.33 } },
  { model: /^meta\.llama4-maverick/, price: { input: 0.12, output: 0.485 } },
  { model: /^meta\.llama3-3-70b/, price: { input: 0.36, output: 0.36 } },
  { model: /^mistral\.ministral-3-8b/, price: { input: 0.07, output: 0.07 } },
  { model: /^mistral\.ministral-3-14b/, price: { input: 0.1, output: 0.1 } },
  { model: /^mistral\.mistral-large-3/, price: { input: 0.25, output: 0.75 } },
  { model: /^google\.gemma-3-12b/, price: { input: 0.05, output: 0.15 } },
  { model: /^google\.gemma-3-27b/, price: { input: 0.12, output: 0.19 } },
  { model: /^qwen\.qwen3-32b/, price: { input: 0.075, output: 0.3 } },
  { model: /^qwen\.qwen3-235b/, price: { input: 0.11, output: 0.44 } },
  { model: /^qwen\.qwen3-next-80b/, price: { input: 0.07, output: 0.6 } },
  { model: /^deepseek\.v3\.2/, price: { input: 0.31, output: 0.925 } },
  { model: /^zai\.glm-4\.7-flash/, price: { input: 0.035, output: 0.2 } },
  { model: /^zai\.glm-4\.7/, price: { input: 0.3, output: 1.1 } },
  { model: /^moonshot(?:ai)?\.kimi-k2-thinking/, price: { input: 0.3, output: 1.25 } },
  { model: /^moonshot(?:ai)?\.kimi-k2\.5/, price: { input: 0.3, output: 1.5 } },
];

/** Claude 4.5 and later cost a tenth more through a region or a regional profile than through `global.`. */
function tenthMore({ input, output }: TokenPrice): TokenPrice {
  return { input: input * 1.1, output: output * 1.1 };
}

/** The batch price of a model, or undefined where none is known. On-demand costs twice that. */
export function batchPriceOf(modelId: string): TokenPrice | undefined {
  const { baseModelId, profilePrefix } = parseModelId(modelId);
  const entry = BATCH_PRICES.find(({ model }) => baseModelId !== undefined && model.test(baseModelId));
  if (entry === undefined) return undefined;
  return profilePrefix === 'global' ? entry.price : (entry.regional ?? entry.price);
}

/** Dollars for these tokens. */
export function costUsd(price: TokenPrice, tokens: { input: number; output: number }): number {
  return (price.input * tokens.input + price.output * tokens.output) / 1_000_000;
}
