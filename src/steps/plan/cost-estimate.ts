import { InvalidRunInputError } from '../../core/errors.ts';
import { BYTES_PER_TOKEN, type CostEstimate } from '../../core/plan/run-plan.ts';
import type { BudgetMode } from '../../core/run/budget.ts';
import type { RunInput } from '../../core/run-input/run-input.ts';
import { DEFAULT_MAX_TOKENS } from '../../models/adapters/model-adapter.ts';
import { costUsd, PRICES_AS_OF, runPriceOf } from '../../models/catalog/prices.ts';
import type { InputCount } from './count-input.ts';
import type { ModelCall } from './model-call.ts';

/** What the price depends on. */
export interface RunSize {
  rows: number;
  /** Of these, the ones below Bedrock's minimum. */
  onDemandRows: number;
  /** UTF-8. */
  meanPromptBytes: number;
  /** Tokens of a row's images, where they can be told. @default 0 */
  meanMediaTokens?: number;
  /** Of its JSONL; undefined where they are not known. */
  recordBytes?: number | undefined;
  /** Input tokens of a record as they were counted; undefined where they are to be guessed by bytes. */
  count?: Pick<InputCount, 'each' | 'error' | 'counted'> | undefined;
}

/** What a run is estimated to cost where every row is sent once and every answer is as long as it may be. */
export function estimateCost(
  input: RunInput,
  call: ModelCall,
  { rows, onDemandRows, meanPromptBytes, meanMediaTokens = 0, count, recordBytes }: RunSize,
): CostEstimate {
  const price = runPriceOf({ modelId: input.model_id, pricedId: call.pricedId, prices: input.prices });
  const guessed = Math.ceil(
    rows * ((meanPromptBytes + Buffer.byteLength(call.systemText)) / BYTES_PER_TOKEN + meanMediaTokens),
  );
  const countedAs = (each: number) => Math.ceil(rows * (each + meanMediaTokens));
  const inputTokens = count === undefined ? guessed : countedAs(count.each);
  // What was a bound before anything was counted stays one.
  const mostInput =
    count === undefined ? guessed : Math.max(guessed, countedAs(count.each * (1 + count.error)));
  const outputTokens =
    call.adapter.output.kind === 'embedding' ? 0 : rows * (call.maxTokens ?? DEFAULT_MAX_TOKENS);
  const onDemandShare = rows === 0 ? 0 : onDemandRows / rows;
  const usdOf = (tokens: { input: number; output: number }) =>
    price === undefined
      ? null
      : costUsd(price.batch, tokens) * (1 - onDemandShare) + costUsd(price.on_demand, tokens) * onDemandShare;
  const expected = expectedTokens(input, { rows, outputTokens });
  return {
    input_tokens: inputTokens,
    ...(recordBytes === undefined ? {} : { record_bytes: recordBytes }),
    ...(count === undefined ? {} : { max_input_tokens: mostInput, counted: count.counted }),
    max_output_tokens: outputTokens,
    input_usd: usdOf({ input: inputTokens, output: 0 }),
    max_usd: usdOf({ input: mostInput, output: outputTokens }),
    ...(expected === undefined
      ? {}
      : {
          expected: {
            output_tokens: expected,
            usd: usdOf({ input: inputTokens, output: expected }),
          },
        }),
    on_demand_usd:
      price === undefined ? null : costUsd(price.on_demand, { input: mostInput, output: outputTokens }),
    prices_as_of: PRICES_AS_OF,
    ...(price?.isGiven === true ? { prices_from: 'run_input' as const } : {}),
  };
}

/** Output tokens of all rows as the user expects them, which no answer's limit lets be more than the most. */
function expectedTokens(
  { expect_output_tokens: each }: RunInput,
  { rows, outputTokens }: { rows: number; outputTokens: number },
): number | undefined {
  return each === undefined ? undefined : Math.min(outputTokens, Math.ceil(rows * each));
}

/**
 * Throws InvalidRunInputError where a run could cost more than `max_cost_usd` (in expected mode: where it is expected to, or its input
 * alone does), or its price is not known.
 */
export function checkBudget(
  maxCostUsd: number,
  { max_usd, input_usd, expected }: CostEstimate,
  mode: BudgetMode = 'worst',
): void {
  if (max_usd === null || input_usd === null) {
    throw new InvalidRunInputError(
      'max_cost_usd cannot be kept: no price of this model is known. Give one with prices, leave max_cost_usd out, or use a model with a known price.',
    );
  }
  const dollars = (usd: number) => `$${usd.toFixed(2)}`;
  const expectedUsd = expected?.usd ?? input_usd;
  if (mode === 'expected' && expectedUsd > maxCostUsd) {
    const what =
      expected === undefined ? 'The input of this run alone costs' : 'This run is expected to cost';
    throw new InvalidRunInputError(
      `${what} about ${dollars(expectedUsd)}, over max_cost_usd ${maxCostUsd}. Lower max_records, or raise max_cost_usd.`,
    );
  }
  if (mode === 'worst' && max_usd > maxCostUsd) {
    throw new InvalidRunInputError(
      `This run could cost about ${dollars(max_usd)} (input alone about ${dollars(input_usd)}), over max_cost_usd ${maxCostUsd}. Lower inference_parameters.max_tokens or max_records, or raise max_cost_usd; with budget_mode expected it is sent part by part, by what answers really take.`,
    );
  }
}
