/** Keys from the model output's root to a value; 0 is the first of a list. */
export type OutputPath = readonly [string, ...(string | 0)[]];

/** A path for people: `choices[0].finish_reason`. */
export function pathText(path: OutputPath): string {
  return path.map((key, index) => (key === 0 ? '[0]' : `${index === 0 ? '' : '.'}${key}`)).join('');
}

/** Where a model family puts its answer; `resultColumnsOf` makes columns of it. */
export type OutputShape = TextOutputShape | EmbeddingOutputShape;

/** Text: the `text` of every block of the list at `blocks`, one after the other; blocks without text are passed over. */
export interface TextOutputShape {
  kind: 'text';
  /** The list of content blocks. */
  blocks: OutputPath;
  /** The text within a block. */
  text: OutputPath;
  /** Only blocks in which this key has this value. */
  only?: { key: string; equals: string };
  /** What the model thought stands before the answer in the same text, between these two, and is no part of it. */
  thoughts?: Enclosure;
  stopReason: OutputPath;
  inputTokens: OutputPath;
  outputTokens: OutputPath;
  /** How many of the output's tokens were thoughts; absent where answers do not tell. */
  thinkingTokens?: OutputPath;
}

/** What begins and what ends a part of a text. */
export interface Enclosure {
  begin: string;
  end: string;
}

/** An embedding: a list of numbers, each 0 or 1 where they are bits. */
export interface EmbeddingOutputShape {
  kind: 'embedding';
  embedding: OutputPath;
  numbers?: 'bits';
  /** Undefined where the answer does not tell them. */
  inputTokens: OutputPath | undefined;
}
