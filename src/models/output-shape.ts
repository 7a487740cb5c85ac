/** Keys from the model output's root to a value. */
export type OutputPath = readonly [string, ...string[]];

/**
 * Where a model family puts its answer. One declaration, read twice: by `readModelOutput` for one answer in
 * memory, and by the data plane, as SQL, for millions.
 */
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

/** An embedding: a list of numbers. */
export interface EmbeddingOutputShape {
  kind: 'embedding';
  embedding: OutputPath;
  inputTokens: OutputPath;
}

/** One answer, in the same shape for every family. */
export interface ModelAnswer {
  /** Null in an answer of another kind. */
  text: string | null;
  embedding: number[] | null;
  stopReason: string | null;
  inputTokens: number | null;
  outputTokens: number | null;
}

/** The answer in a model's output, or undefined where the output is not of that shape. */
export function readModelOutput(shape: OutputShape, modelOutput: unknown): ModelAnswer | undefined {
  switch (shape.kind) {
    case 'text': {
      const blocks = valueAt(modelOutput, shape.blocks);
      if (!Array.isArray(blocks)) return undefined;
      const { only } = shape;
      const texts = blocks
        .filter((block) => only === undefined || valueAt(block, [only.key]) === only.equals)
        .map((block) => valueAt(block, shape.text))
        .filter((text) => typeof text === 'string');
      return {
        text: texts.join(''),
        embedding: null,
        stopReason: asString(valueAt(modelOutput, shape.stopReason)),
        inputTokens: asNumber(valueAt(modelOutput, shape.inputTokens)),
        outputTokens: asNumber(valueAt(modelOutput, shape.outputTokens)),
      };
    }
    case 'embedding': {
      const embedding = valueAt(modelOutput, shape.embedding);
      if (!Array.isArray(embedding) || !embedding.every((value) => typeof value === 'number'))
        return undefined;
      return {
        text: null,
        embedding,
        stopReason: null,
        inputTokens: asNumber(valueAt(modelOutput, shape.inputTokens)),
        outputTokens: null,
      };
    }
  }
}

function valueAt(value: unknown, path: OutputPath): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>)[key] : undefined,
    value,
  );
}

function asString(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function asNumber(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}
