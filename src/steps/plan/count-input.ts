import type { Dataset } from '../../core/plan/part.ts';
import type { CountedTokens } from '../../core/plan/run-plan.ts';
import type { RunInput } from '../../core/run-input/run-input.ts';
import { tokenErrorOf } from '../../models/catalog/token-errors.ts';
import { inputTexts, TOKENS_PER_TEXT } from '../../models/input-texts.ts';
import { bodyText, choosesPrompts } from '../../models/record-frame.ts';
import { lookAtRows, MAX_SAMPLED_CHARACTERS, type SeenRow } from '../../rows/prepare/look-at-rows.ts';
import type { LocalDatasetFile } from '../../rows/sources/describe-dataset.ts';
import type { PlanDeps } from '../deps.ts';
import type { ModelCall } from './model-call.ts';

/** Rows whose tokens Bedrock is asked for. */
const ROWS_ASKED = 50;
/** Rows whose tokens are counted here, as long as they have no more characters in all. */
const ROWS_COUNTED = 200;
const MAX_COUNTED_CHARACTERS = 500_000;
/** Standard errors that a mean may be off. */
const STANDARD_ERRORS = 3;

/** Tokens of input for each byte of a row's own text and the rest of its record, by a sample of rows. */
export interface InputCount {
  /** Mean input tokens of a record. */
  each: number;
  /** Share of that by which it may be more. */
  error: number;
  counted: CountedTokens;
  notes: string[];
}

/** What the tokens are counted of. */
export interface CountRequest {
  call: ModelCall;
  modelId: string;
  /** Rows all over the dataset. */
  sample: readonly SeenRow[];
  /** UTF-8 bytes of the strings of a row, over many more rows. */
  meanBytes: number;
}

/** What is planned, as far as its tokens are counted. */
interface PlannedInput {
  input: RunInput;
  call: ModelCall;
  dataset: Dataset;
  meanBytes: number;
}

/** Counts input tokens where that decides something: what a draft says, and what a budget is held against. */
export async function countForPlan(
  { input, call, dataset, meanBytes }: PlannedInput,
  local: readonly LocalDatasetFile[],
  deps: PlanDeps,
): Promise<InputCount | undefined> {
  const isWanted = deps.isDraft === true || input.max_cost_usd !== undefined;
  // Of rows that choose their prompts, tokens are guessed by the bytes of all of them.
  if (!isWanted || choosesPrompts(call.frame)) return undefined;
  if (deps.tokenizer === undefined && deps.countTokens === undefined) return undefined;
  const { sample } = await lookAtRows(local, dataset, {
    frame: call.frame,
    recordIdColumn: undefined,
    rows: Math.min(dataset.rows, input.max_records ?? dataset.rows),
    first: 1,
    sample: ROWS_COUNTED,
    isWhole: false,
  });
  return countInput({ call, modelId: input.model_id, sample, meanBytes }, deps);
}

/**
 * Counts the input tokens of a sample: by Bedrock itself where it counts for the model, else by a tokenizer of this machine. Undefined
 * where there is nothing to count with, or nothing to count.
 */
export async function countInput(
  request: CountRequest,
  { countTokens, tokenizer }: Pick<PlanDeps, 'countTokens' | 'tokenizer'>,
): Promise<InputCount | undefined> {
  const { call, modelId } = request;
  if (request.sample.length === 0) return undefined;
  const notes: string[] = [];
  // An image would have to be fetched for it; a plan has worked out what images take.
  if (countTokens !== undefined && call.frame.media === undefined) {
    const asked = request.sample.filter(isWhole).slice(0, ROWS_ASKED);
    try {
      const bodies = asked.map(({ strings }) => JSON.parse(bodyText(call.frame, strings)) as unknown);
      const counts = await countTokens(modelId, call.adapter.invocationType, bodies);
      if (counts !== undefined && counts.length > 0) {
        return countOf(asked, counts, { request, by: 'count_tokens', error: 0, notes });
      }
    } catch (error) {
      notes.push(
        `${(error as Error).message} So input tokens are not counted by CountTokens, which is free of charge, but by a tokenizer here.`,
      );
    }
  }
  if (tokenizer === undefined) return undefined;
  const count = await tokenizer();
  let characters = 0;
  const counted = request.sample.slice(0, ROWS_COUNTED).filter(({ strings }) => {
    const isTaken = characters < MAX_COUNTED_CHARACTERS;
    characters += strings.reduce((sum, text) => sum + text.length, 0);
    return isTaken;
  });
  const counts = counted.map(({ strings }) => {
    const texts = inputTexts(JSON.parse(bodyText(call.frame, strings)));
    return texts.reduce((sum, text) => sum + count(text) + TOKENS_PER_TEXT, 0);
  });
  const error = tokenErrorOf(call.pricedId);
  return countOf(counted, counts, { request, by: 'tokenizer', error, notes });
}

/** True of a row whose strings were not cut. */
function isWhole({ strings }: SeenRow): boolean {
  return strings.every((text) => text.length < MAX_SAMPLED_CHARACTERS);
}

function countOf(
  rows: readonly SeenRow[],
  counts: readonly number[],
  {
    request,
    by,
    error,
    notes,
  }: { request: CountRequest; by: CountedTokens['by']; error: number; notes: string[] },
): InputCount {
  const bytes = rows.map(({ strings }) => strings.reduce((sum, text) => sum + Buffer.byteLength(text), 0));
  const { each, deviation } = regress(bytes, counts, request.meanBytes);
  const sampling = (STANDARD_ERRORS * deviation) / Math.sqrt(counts.length) / Math.max(1, each);
  const off = Math.min(1, sampling);
  return {
    each,
    error: (1 + error) * (1 + off) - 1,
    counted: { by, rows: counts.length, family_error: error },
    notes,
  };
}

/**
 * The mean of `counts` where that of `sizes` is `at`, by the line that fits them best, and how far they are from it: what grows with a
 * row's length does not depend on which rows were drawn.
 */
function regress(
  sizes: readonly number[],
  counts: readonly number[],
  at: number,
): { each: number; deviation: number } {
  const mean = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  const [size, count] = [mean(sizes), mean(counts)];
  const spread = mean(sizes.map((value) => (value - size) ** 2));
  const together = mean(sizes.map((value, index) => (value - size) * ((counts[index] ?? 0) - count)));
  const slope = spread === 0 ? 0 : Math.max(0, together / spread);
  const residuals = sizes.map((value, index) => (counts[index] ?? 0) - count - slope * (value - size));
  return {
    each: Math.max(0, count + slope * (at - size)),
    deviation: Math.sqrt(mean(residuals.map((value) => value ** 2))),
  };
}
