import type { Enclosure, OutputPath } from '../../models/output-shape.ts';
import { sqlName, sqlText } from '../duckdb/duckdb.ts';

/** Where a model's output has one value of an answer, and what that value is. */
export type AnswerSource =
  | BlocksSource
  | NumbersSource
  | BitsSource
  | TextSource
  | CountSource
  | AbsentSource;

/** The texts of all blocks of a list, one after the other. */
interface BlocksSource {
  kind: 'blocks';
  at: OutputPath;
  /** The text within a block. */
  text: OutputPath;
  /** Only blocks in which this key has this value. */
  only?: { key: string; equals: string } | undefined;
  /** What a text may begin with that is left out of it; all of the text, where it has no end. */
  thoughts?: Enclosure | undefined;
}

/** A list of numbers that 32-bit floats can be. */
interface NumbersSource {
  kind: 'numbers';
  at: OutputPath;
}

/** A list of numbers of which each is 0 or 1. */
interface BitsSource {
  kind: 'bits';
  at: OutputPath;
}

/** A text. */
interface TextSource {
  kind: 'text';
  at: OutputPath;
}

/** A whole number from 0. */
interface CountSource {
  kind: 'count';
  at: OutputPath;
}

/** What this family's outputs never have. */
interface AbsentSource {
  kind: 'absent';
  type: 'VARCHAR' | 'BIGINT';
}

/** What JavaScript has of a value; null where the output has none of its kind. */
export type AnswerValue = string | number | number[] | null;

/**
 * One kind of value, said for DuckDB, which reads millions, and for JavaScript, which reads what DuckDB refuses. Both
 * decide alike: a property test compares them.
 */
interface ValueKind<S> {
  /** Type of its column in results. */
  type(source: S): string;
  /**
   * What DuckDB is to read of the output, and as which type. Scalars are read as JSON, so that none is silently
   * converted; numbers in lists, for speed, as numbers, which `"1.5"` and `true` pass for too.
   */
  reads(source: S): readonly [path: OutputPath, type: string][];
  /** SQL for the value, over the column `modelOutput`; null where the output has none of this kind. */
  sql(source: S): string;
  read(source: S, modelOutput: unknown): AnswerValue;
}

type Kinds = { [K in AnswerSource['kind']]: ValueKind<Extract<AnswerSource, { kind: K }>> };

const KINDS: Kinds = {
  blocks: {
    type: () => 'VARCHAR',
    reads: ({ at, text, only }) => {
      const found = [...at, 0, ...text] as const;
      return only === undefined
        ? [[found, 'JSON']]
        : [
            [found, 'JSON'],
            [[...at, 0, only.key], 'JSON'],
          ];
    },
    sql: ({ at, text, only, thoughts }) => {
      const blocks = fieldOf('modelOutput', at);
      const found = stringOf(fieldOf('block', text));
      const picked =
        only === undefined
          ? found
          : `CASE WHEN ${stringOf(fieldOf('block', [only.key]))} = ${sqlText(only.equals)} THEN ${found} END`;
      const all = `list_transform(${blocks}, lambda block: ${picked})`;
      const kept =
        thoughts === undefined
          ? all
          : `list_transform(${all}, lambda found: ${withoutThoughtsSql('found', thoughts)})`;
      // array_to_string passes nulls over, but makes null of a list that has nothing else.
      return `CASE WHEN ${blocks} IS NOT NULL THEN coalesce(array_to_string(${kept}, ''), '') END`;
    },
    read: ({ at, text, only, thoughts }, modelOutput) => {
      const blocks = valueAt(modelOutput, at);
      if (!Array.isArray(blocks)) return null;
      const texts = blocks
        .filter((block) => only === undefined || valueAt(block, [only.key]) === only.equals)
        .map((block) => valueAt(block, text))
        .filter((found) => typeof found === 'string')
        .map((found) => (thoughts === undefined ? found : withoutThoughts(found, thoughts)));
      return texts.join('').toWellFormed();
    },
  },
  numbers: {
    type: () => 'FLOAT[]',
    reads: ({ at }) => [[at, 'FLOAT[]']],
    sql: ({ at }) => {
      const numbers = fieldOf('modelOutput', at);
      // list_count passes nulls over.
      return `CASE WHEN list_count(${numbers}) = len(${numbers}) THEN ${numbers} END`;
    },
    read: ({ at }, modelOutput) => {
      const numbers = valueAt(modelOutput, at);
      return Array.isArray(numbers) && numbers.every(isFloat) ? numbers : null;
    },
  },
  bits: {
    type: () => 'TINYINT[]',
    // As numbers that may be others: DuckDB would make a bit of 0.6.
    reads: ({ at }) => [[at, 'DOUBLE[]']],
    sql: ({ at }) => {
      const bits = fieldOf('modelOutput', at);
      const found = `len(list_filter(${bits}, lambda bit: bit = 0 OR bit = 1))`;
      return `CASE WHEN ${found} = len(${bits}) THEN CAST(${bits} AS TINYINT[]) END`;
    },
    read: ({ at }, modelOutput) => {
      const bits = valueAt(modelOutput, at);
      return Array.isArray(bits) && bits.every((bit) => bit === 0 || bit === 1) ? bits : null;
    },
  },
  text: {
    type: () => 'VARCHAR',
    reads: ({ at }) => [[at, 'JSON']],
    sql: ({ at }) => stringOf(fieldOf('modelOutput', at)),
    read: ({ at }, modelOutput) => {
      const text = valueAt(modelOutput, at);
      return typeof text === 'string' ? text.toWellFormed() : null;
    },
  },
  count: {
    type: () => 'BIGINT',
    reads: ({ at }) => [[at, 'JSON']],
    sql: ({ at }) => countOf(fieldOf('modelOutput', at)),
    read: ({ at }, modelOutput) => {
      const count = valueAt(modelOutput, at);
      return typeof count === 'number' && Number.isSafeInteger(count) && count >= 0 ? count : null;
    },
  },
  absent: {
    type: ({ type }) => type,
    reads: () => [],
    sql: ({ type }) => `CAST(NULL AS ${type})`,
    read: () => null,
  },
};

/** DuckDB's type of a value. */
export function valueTypeOf(source: AnswerSource): string {
  return kindOf(source).type(source);
}

/** SQL for a value, over the column `modelOutput` of the type that `modelOutputType` gives. */
export function valueSql(source: AnswerSource): string {
  return kindOf(source).sql(source);
}

/** A value of one output, as `valueSql` would give it. */
export function readValue(source: AnswerSource, modelOutput: unknown): AnswerValue {
  return kindOf(source).read(source, modelOutput);
}

/** The type of a column `modelOutput` that has what these values are read of, and nothing else. */
export function modelOutputType(sources: readonly AnswerSource[]): string {
  const tree: TypeTree = new Map();
  for (const [path, type] of sources.flatMap((source) => kindOf(source).reads(source)))
    addPath(tree, path, type);
  return typeOfTree(tree);
}

function kindOf<S extends AnswerSource>({ kind }: S): ValueKind<S> {
  return KINDS[kind] as unknown as ValueKind<S>;
}

function withoutThoughtsSql(text: string, { begin, end }: Enclosure): string {
  const from = `strpos(${text}, ${sqlText(end)})`;
  const rest = `CASE WHEN ${from} > 0 THEN substr(${text}, ${from} + ${end.length}) ELSE '' END`;
  return `CASE WHEN starts_with(${text}, ${sqlText(begin)}) THEN ${rest} ELSE ${text} END`;
}

function withoutThoughts(text: string, { begin, end }: Enclosure): string {
  if (!text.startsWith(begin)) return text;
  const at = text.indexOf(end);
  return at === -1 ? '' : text.slice(at + end.length);
}

/** Keys and their types, or the keys within; a list has the one key 0. */
type TypeTree = Map<OutputPath[number], string | TypeTree>;

function addPath(tree: TypeTree, [key, ...rest]: readonly OutputPath[number][], type: string): void {
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

function typeOfTree(tree: TypeTree): string {
  const typeOf = (inner: string | TypeTree) => (typeof inner === 'string' ? inner : typeOfTree(inner));
  const element = tree.get(0);
  if (element !== undefined) return `${typeOf(element)}[]`;
  const fields = [...tree].map(([key, inner]) => `${sqlName(String(key))} ${typeOf(inner)}`);
  return `STRUCT(${fields.join(', ')})`;
}

function fieldOf(value: string, path: OutputPath): string {
  return path.reduce<string>((sql, key) => (key === 0 ? `${sql}[1]` : `${sql}.${sqlName(key)}`), value);
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

function valueAt(value: unknown, path: OutputPath): unknown {
  return path.reduce<unknown>((inner, key) => {
    if (key === 0) return Array.isArray(inner) ? inner[0] : undefined;
    return typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>)[key] : undefined;
  }, value);
}

function isFloat(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(Math.fround(value));
}
