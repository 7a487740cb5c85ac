import { z } from 'zod';
import { BudgetMode } from '../run/budget.ts';
import type { Concern, GivenFields, Refuse } from './concern.ts';
import { type PricedModel, Prices, priceAmong } from './prices.ts';

const fields = {
  max_num_jobs: z.int().min(1).meta({
    description:
      'At most this many jobs in the first wave: only the rows that fit into them, at `max_records_per_job` each, are run.',
  }),
  max_records: z.int().min(1).meta({ description: 'Run only the first N rows.' }),
  max_attempts: z.int().min(1).max(10).meta({
    description:
      'How many times a row may be sent; a job that never reached it does not count. `resume --max-attempts` grants more. Default 3.',
  }),
  max_cost_usd: z.number().gt(0).meta({
    description:
      'Budget in US dollars: nothing is sent that could exceed it, by [counted tokens](price.md#tokens-of-the-input) of input and the longest answers allowed. A run that stopped at its budget continues when it is started again with a higher one.',
  }),
  budget_mode: BudgetMode.meta({
    description:
      'What the next part is held against `max_cost_usd` at, beside what was really spent: `worst`, with the longest answers, so that the run never costs more; or `expected`, with answers as long as those so far (before there are any, as `expect_output_tokens` says), so that it may cost more by one part at most. [Price](price.md#a-budget). Default worst.',
  }),
  expect_output_tokens: z.number().gt(0).max(1_000_000).meta({
    description:
      'Tokens that you expect of an answer on average: the plan shows the price with them, beside the one with the longest answers. It decides nothing.',
  }),
  prices: Prices.meta({
    description:
      'Prices that hold instead of the [catalogue’s](models.md), by model id: `{"MODEL_ID": {"input_per_million": 0.03, "output_per_million": 0.12}}`, in US dollars for a million tokens in batch. `on_demand_input_per_million` and `on_demand_output_per_million` are twice that unless given.',
  }),
};

/** How much is done at most, and for how much. */
export const LIMITS_INPUT = {
  title: 'Limits',
  about: 'How much is done at most, and for how much.',
  fields,
  check(given: GivenFields<typeof fields> & PricedModel & { variants?: unknown }, refuse: Refuse) {
    const { prices, model_id, variants } = given;
    // The prices of variants are each held to the model of one of them.
    if (variants !== undefined) return;
    if (prices === undefined || model_id === undefined || priceAmong(prices, given) !== undefined) return;
    const names = Object.keys(prices).map((name) => `"${name}"`);
    refuse('prices', `names ${names.join(', ') || 'no model'}, and not this run’s model "${model_id}"`);
  },
} satisfies Concern;
