import { parseModelId } from './model-id.ts';

/**
 * How far the tokens of a family may be from those of o200k, as a share of these, by how its ids begin: the most that was measured
 * over English prose, a licence, TypeScript, two kinds of JSON and Chinese, rounded up (`bench/token-errors.ts`, 2026-11-28). The
 * tokenizer of Claude 2, the last that was published, is 25 % off at most; later ones make more tokens of a text, so that theirs is a
 * guess on the safe side.
 */
const TOKEN_ERRORS: Readonly<Record<string, number>> = {
  'openai.gpt-oss': 0,
  'meta.llama': 0.1,
  'qwen.': 0.2,
  'deepseek.': 0.2,
  'google.gemma': 0.2,
  'mistral.': 0.35,
  'anthropic.': 0.35,
};
/** Of families that publish no tokenizer: as far as the farthest of those that do. */
const UNKNOWN_ERROR = 0.35;

/** How far o200k may be off for a model. */
export function tokenErrorOf(modelId: string): number {
  const { baseModelId = '' } = parseModelId(modelId);
  const begins = Object.keys(TOKEN_ERRORS).find((start) => baseModelId.startsWith(start));
  return begins === undefined ? UNKNOWN_ERROR : (TOKEN_ERRORS[begins] ?? UNKNOWN_ERROR);
}
