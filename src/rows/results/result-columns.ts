import { type AnswerSchema, propertyTypeOf } from '../../core/run-input/output-schema.ts';
import { type OutputShape, pathText } from '../../models/output-shape.ts';
import { type AnswerSource, valueTypeOf } from './answer-values.ts';

/** A column that a run adds to its rows, and what it tells of a row. */
export type ResultColumn = AnswerColumn | PropertyColumn | RowColumn;

/** A column of what a model's output says; empty where a row has no answer. */
export interface AnswerColumn {
  name: string;
  /** DuckDB's. */
  type: string;
  from: 'answer';
  source: AnswerSource;
  /** Name of the value while answers are matched with their rows: a result's own name may be any. */
  key: string;
  /** True of what was paid for: a row that gets another row's answer has none of it. */
  isSpent: boolean;
}

/** A column of one property of answers that are objects of a schema; empty where the answer is none. */
export interface PropertyColumn {
  name: string;
  type: string;
  from: 'property';
  key: string;
}

/** A column of what became of a row. */
export interface RowColumn {
  name: string;
  type: string;
  from: 'record_id' | 'error_code' | 'error_message' | 'attempts' | 'reused_from';
}

/**
 * What an answer is, said once: the columns that a run adds to its rows, where each comes from in the model's output,
 * and what makes an output an error. What Collect reads and writes, what Merge replaces, and what Plan refuses follow it.
 */
export interface ResultColumns {
  /** The answer itself: an output without it is an error. */
  answer: AnswerColumn;
  /** All that the model's output says, the answer first. */
  answers: readonly AnswerColumn[];
  /** The properties of answers that are asked for as objects; none where an answer is a text or a list of numbers. */
  properties: readonly PropertyColumn[];
  /** The schema of those objects. */
  schema: AnswerSchema | undefined;
  /** Every column that is added to the dataset's own, in order. */
  all: readonly ResultColumn[];
  /** What to say of an output that has no answer. */
  unexpected: string;
}

/** What of a run decides its columns. */
export interface ResultColumnsRequest {
  shape: OutputShape;
  /** Name of the answer's column. Default `response`, or `embedding`. */
  outputColumn: string | undefined;
  /** Where a column of the dataset that is itself named so gives the ids, none is added. */
  recordIdColumn: string | undefined;
  /** What answers are asked to be an object of. */
  schema?: AnswerSchema | undefined;
  /** True where rows may have answers of former runs. */
  reuse?: boolean | undefined;
  /** Before the names of the object's columns. */
  outputPrefix?: string | undefined;
  /** True where the model is told to think. */
  thinks?: boolean | undefined;
}

/** Columns that say how a row came to its answer, and nothing that a reader of answers looks for. */
export const BOOKKEEPING_COLUMNS: readonly string[] = [
  'stop_reason',
  'input_tokens',
  'output_tokens',
  'thinking_tokens',
  'attempts',
  'reused_from',
];

/** The columns of a run's results. */
export function resultColumnsOf({
  shape,
  outputColumn,
  recordIdColumn,
  schema,
  reuse = false,
  outputPrefix = '',
  thinks = false,
}: ResultColumnsRequest): ResultColumns {
  const { answer: source, stopReason, inputTokens, outputTokens, unexpected } = sourcesOf(shape);
  const thinkingTokens = thinks && shape.kind === 'text' ? shape.thinkingTokens : undefined;
  const answer = answerColumn(outputColumn ?? DEFAULT_NAMES[shape.kind], source, { key: 'answer' });
  const details = [
    answerColumn('stop_reason', stopReason),
    answerColumn('input_tokens', inputTokens, { isSpent: true }),
    answerColumn('output_tokens', outputTokens, { isSpent: true }),
    ...(thinkingTokens === undefined
      ? []
      : [answerColumn('thinking_tokens', { kind: 'count', at: thinkingTokens }, { isSpent: true })]),
  ];
  const recordId: RowColumn = { name: 'record_id', type: 'VARCHAR', from: 'record_id' };
  const properties = schema === undefined ? [] : propertyColumnsOf(schema, outputPrefix);
  return {
    answer,
    answers: [answer, ...details],
    properties,
    schema,
    all: [
      ...properties,
      answer,
      ...(recordIdColumn === recordId.name ? [] : [recordId]),
      { name: 'error_code', type: 'VARCHAR', from: 'error_code' },
      { name: 'error_message', type: 'VARCHAR', from: 'error_message' },
      ...details,
      { name: 'attempts', type: 'INTEGER', from: 'attempts' },
      ...(reuse ? [{ name: 'reused_from', type: 'VARCHAR', from: 'reused_from' } as const] : []),
    ],
    unexpected,
  };
}

const DEFAULT_NAMES = { text: 'response', embedding: 'embedding' };

function answerColumn(
  name: string,
  source: AnswerSource,
  { key = name, isSpent = false }: { key?: string; isSpent?: boolean } = {},
): AnswerColumn {
  return { name, type: valueTypeOf(source), from: 'answer', source, key, isSpent };
}

/** The columns of an answer's properties, in the order of the schema. */
export function propertyColumnsOf(schema: AnswerSchema, prefix = ''): PropertyColumn[] {
  return Object.entries(schema.properties).map(([name, property], index) => {
    const type = propertyTypeOf(property);
    return {
      name: `${prefix}${name}`,
      type: type === 'JSON' ? 'VARCHAR' : type,
      from: 'property',
      key: `property_${index}`,
    };
  });
}

interface AnswerSources {
  answer: AnswerSource;
  stopReason: AnswerSource;
  inputTokens: AnswerSource;
  outputTokens: AnswerSource;
  unexpected: string;
}

/** Where outputs of a shape have what every result tells. */
function sourcesOf(shape: OutputShape): AnswerSources {
  const inputTokens: AnswerSource =
    shape.inputTokens === undefined
      ? { kind: 'absent', type: 'BIGINT' }
      : { kind: 'count', at: shape.inputTokens };
  switch (shape.kind) {
    case 'text':
      return {
        answer: {
          kind: 'blocks',
          at: shape.blocks,
          text: shape.text,
          only: shape.only,
          thoughts: shape.thoughts,
        },
        stopReason: { kind: 'text', at: shape.stopReason },
        inputTokens,
        outputTokens: { kind: 'count', at: shape.outputTokens },
        unexpected: `The model's output has no list of content blocks at ${pathText(shape.blocks)}.`,
      };
    case 'embedding':
      return {
        answer: { kind: shape.numbers ?? 'numbers', at: shape.embedding },
        stopReason: { kind: 'absent', type: 'VARCHAR' },
        inputTokens,
        outputTokens: { kind: 'absent', type: 'BIGINT' },
        unexpected: `The model's output has no list of ${shape.numbers === 'bits' ? 'zeros and ones' : 'numbers'} at ${pathText(shape.embedding)}.`,
      };
  }
}
