/** Counts the tokens of a text. */
export type CountText = (text: string) => number;

/** Characters of a run without a blank that are split at once: the work grows with their square. */
const LONG_RUN = /\S{500}/g;

/**
 * The tokenizer of gpt-oss, o200k; for other families `tokenErrorOf` says how far off it is. It takes a moment to load, and is only
 * where it is needed.
 */
export async function loadTokenizer(): Promise<CountText> {
  const { countTokens } = await import('gpt-tokenizer/encoding/o200k_base');
  // A dataset may hold "<|endoftext|>": by default the library throws at it; a model is sent its characters.
  const options = { disallowedSpecial: new Set<string>() };
  return (text) => countTokens(text.replace(LONG_RUN, '$& '), options);
}
