/** Keys from the model output's root to a value. */
export type OutputPath = readonly [string, ...string[]];

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
  stopReason: OutputPath;
  inputTokens: OutputPath;
  outputTokens: OutputPath;
}

/** An embedding: a list of numbers, each 0 or 1 where they are bits. */
export interface EmbeddingOutputShape {
  kind: 'embedding';
  embedding: OutputPath;
  numbers?: 'bits';
  inputTokens: OutputPath;
}
