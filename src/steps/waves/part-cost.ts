import type { PreparedPart, WavePart } from '../../core/plan/part.ts';
import type { RunPlan } from '../../core/plan/run-plan.ts';
import { plannedRecords } from '../../core/plan/run-plan.ts';
import type { PartUsd } from '../../core/run/budget.ts';
import { costUsd, type RunPrice } from '../../models/catalog/prices.ts';
import type { Turn } from './turns.ts';

/** Tokens that the records of a variant take. */
export interface TokenRates {
  /** For each byte of their JSONL. */
  inputPerByte: number;
  outputPerRecord: number;
}

/** What the parts of one variant may cost. */
export interface VariantCost {
  price: RunPrice;
  most: TokenRates;
  expected: TokenRates;
}

/** A part as far as its cost goes by it. */
export interface CostedPart extends Pick<WavePart, 'mode' | 'records' | 'bytes'> {
  /** Input tokens that its records have more of than their bytes tell. */
  moreInput?: number;
}

/** Dollars that a part may take. */
export function partUsd(
  { mode, records, bytes, moreInput = 0 }: CostedPart,
  { price, most, expected }: VariantCost,
): PartUsd {
  const rate = mode === 'on_demand' ? price.on_demand : price.batch;
  const usdOf = ({ inputPerByte, outputPerRecord }: TokenRates) =>
    costUsd(rate, { input: inputPerByte * bytes + moreInput, output: outputPerRecord * records });
  const worst = usdOf(most);
  return { worst, expected: Math.min(worst, usdOf(expected)) };
}

/** What is known of a variant when its parts' costs are worked out. */
export interface VariantSoFar {
  plan: Pick<RunPlan, 'selected_rows' | 'duplicates' | 'reuse' | 'estimate'>;
  price: RunPrice;
  /** Its parts of the dataset. */
  prepared: readonly PreparedPart[];
  /** Its parts that have had their turn. */
  turns: readonly Turn[];
}

/**
 * What the parts of a variant may cost: at most by the plan's estimate, and by more input for a byte where answers have shown more; as they are expected by what
 * the answers so far took, else by what the plan expects.
 */
export function variantCost({ plan, price, prepared, turns }: VariantSoFar): VariantCost {
  const { estimate } = plan;
  const { input_tokens, max_input_tokens = input_tokens, max_output_tokens } = estimate;
  const records = Math.max(1, plannedRecords(plan));
  const bytes = Math.max(
    1,
    prepared.reduce((sum, part) => sum + part.bytes, 0),
  );
  const seen = ratesOf(turns);
  const planned = {
    inputPerByte: max_input_tokens / bytes,
    outputPerRecord: max_output_tokens / records,
  };
  const most = { ...planned, inputPerByte: Math.max(planned.inputPerByte, seen?.inputPerByte ?? 0) };
  const { expected } = estimate;
  const told =
    expected === undefined
      ? most
      : {
          inputPerByte: (expected.input_tokens ?? input_tokens) / bytes,
          outputPerRecord: expected.output_tokens / records,
        };
  return { price, most, expected: seen ?? told };
}

/** What answers so far took of tokens; undefined before there are any that tell. */
function ratesOf(turns: readonly Turn[]): TokenRates | undefined {
  const sum = { records: 0, bytes: 0, input: 0, output: 0 };
  for (const { part, ledger } of turns) {
    const { tokens, uncounted = 0, tried = part.records } = ledger;
    // Records whose tokens nobody tells would make the others look cheap.
    const told = Math.min(part.records, tried) - uncounted;
    if (tokens.input === 0 || told <= 0) continue;
    sum.records += told;
    sum.bytes += (part.bytes * told) / part.records;
    sum.input += tokens.input;
    sum.output += tokens.output;
  }
  if (sum.records === 0 || sum.bytes === 0) return undefined;
  return { inputPerByte: sum.input / sum.bytes, outputPerRecord: sum.output / sum.records };
}

/** Dollars that these turns took: by the tokens that are told of them, and the most for the records of which nobody tells any. */
export function spentAtMost(turns: readonly Turn[], costs: readonly VariantCost[]): number {
  return turns.reduce((sum, { part, ledger }) => {
    const cost = costs[part.variant];
    if (cost === undefined) return sum;
    const rate = part.mode === 'on_demand' ? cost.price.on_demand : cost.price.batch;
    const uncounted = uncountedOf({ part, ledger });
    const bytes = (part.bytes * uncounted) / Math.max(1, part.records);
    const most = partUsd({ mode: part.mode, records: uncounted, bytes }, cost).worst;
    return sum + costUsd(rate, ledger.tokens) + most;
  }, 0);
}

/** Records of a turn that may have been paid for and whose tokens nobody tells; of ledgers that do not say it, all where there are none. */
function uncountedOf({ part, ledger }: Turn): number {
  const { uncounted, tokens, rows } = ledger;
  if (uncounted !== undefined) return Math.min(uncounted, part.records);
  const isTold = tokens.input + tokens.output > 0 || rows.succeeded - (rows.reused ?? 0) <= 0;
  return isTold ? 0 : part.records;
}
