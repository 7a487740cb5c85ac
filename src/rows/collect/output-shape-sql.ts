import type { OutputPath, OutputShape } from '../../models/output-shape.ts';
import { sqlName, sqlText } from '../duckdb/duckdb.ts';

/** An OutputShape as SQL over the column `modelOutput` of `read_json`. */
export interface OutputShapeSql {
  /**
   * Type of the column `modelOutput`: only what is read. Scalars are read as JSON, so that none is silently
   * converted; embeddings, for speed, as numbers, which `"1.5"` and `true` pass for too.
   */
  modelOutputType: string;
  /** Type of the answer. */
  answerType: 'VARCHAR' | 'FLOAT[]';
  /** The answer; null where the output is not of the shape. */
  answer: string;
  stopReason: string;
  inputTokens: string;
  outputTokens: string;
}

/** The same decisions as `readModelOutput`, for millions of outputs at once. */
export function outputShapeSql(shape: OutputShape): OutputShapeSql {
  switch (shape.kind) {
    case 'text': {
      const block: TypeTree = new Map();
      addPath(block, shape.text, 'JSON');
      if (shape.only !== undefined) addPath(block, [shape.only.key], 'JSON');
      const root: TypeTree = new Map();
      addPath(root, shape.blocks, `${structType(block)}[]`);
      for (const path of [shape.stopReason, shape.inputTokens, shape.outputTokens])
        addPath(root, path, 'JSON');
      const blocks = fieldOf('modelOutput', shape.blocks);
      const text = stringOf(fieldOf('block', shape.text));
      const picked =
        shape.only === undefined
          ? text
          : `CASE WHEN ${stringOf(fieldOf('block', [shape.only.key]))} = ${sqlText(shape.only.equals)} THEN ${text} END`;
      // array_to_string passes nulls over, but makes null of a list that has nothing else.
      const texts = `array_to_string(list_transform(${blocks}, lambda block: ${picked}), '')`;
      return {
        modelOutputType: structType(root),
        answerType: 'VARCHAR',
        answer: `CASE WHEN ${blocks} IS NOT NULL THEN coalesce(${texts}, '') END`,
        stopReason: stringOf(fieldOf('modelOutput', shape.stopReason)),
        inputTokens: countOf(fieldOf('modelOutput', shape.inputTokens)),
        outputTokens: countOf(fieldOf('modelOutput', shape.outputTokens)),
      };
    }
    case 'embedding': {
      const root: TypeTree = new Map();
      addPath(root, shape.embedding, 'FLOAT[]');
      addPath(root, shape.inputTokens, 'JSON');
      const embedding = fieldOf('modelOutput', shape.embedding);
      return {
        modelOutputType: structType(root),
        answerType: 'FLOAT[]',
        // list_count passes nulls over.
        answer: `CASE WHEN list_count(${embedding}) = len(${embedding}) THEN ${embedding} END`,
        stopReason: 'CAST(NULL AS VARCHAR)',
        inputTokens: countOf(fieldOf('modelOutput', shape.inputTokens)),
        outputTokens: 'CAST(NULL AS BIGINT)',
      };
    }
  }
}

/** Keys and their types, or the keys within. */
type TypeTree = Map<string, string | TypeTree>;

function addPath(tree: TypeTree, [key, ...rest]: readonly string[], type: string): void {
  if (key === undefined) return;
  if (rest.length === 0) {
    tree.set(key, type);
    return;
  }
  const inner = tree.get(key);
  const branch: TypeTree = inner instanceof Map ? inner : new Map();
  tree.set(key, branch);
  addPath(branch, rest, type);
}

function structType(tree: TypeTree): string {
  const fields = [...tree].map(
    ([key, inner]) => `${sqlName(key)} ${typeof inner === 'string' ? inner : structType(inner)}`,
  );
  return `STRUCT(${fields.join(', ')})`;
}

function fieldOf(value: string, path: OutputPath): string {
  return [value, ...path.map(sqlName)].join('.');
}

/** SQL for the text of a JSON string; null for any other JSON. Not by `json_type`, which would parse it once more. */
export function stringOf(json: string): string {
  return `CASE WHEN starts_with(${json}, '"') THEN ${json} ->> '$' END`;
}

/** Whole numbers from 0 that JavaScript has exactly; null otherwise. */
function countOf(json: string): string {
  const number = `TRY_CAST(${json} AS DOUBLE)`;
  return `CASE WHEN json_type(${json}) IN ('UBIGINT', 'BIGINT', 'DOUBLE') AND ${number} BETWEEN 0 AND ${Number.MAX_SAFE_INTEGER} AND ${number} = trunc(${number}) THEN CAST(${number} AS BIGINT) END`;
}
