import { isJsonObject, type JsonObject } from '../core/text/json-value.ts';
import type { ModelAdapter } from './adapters/model-adapter.ts';

/** How the records of a run are changed when they are sent again, or in another form than they were prepared in. */
export interface RecordChange {
  adapter: ModelAdapter;
  /** Turns of the conversation that the run's own prompts make; what follows them was added by an earlier change. */
  turns: number;
  /** Added to the last of these turns, in place of the field that holds answers to a schema; undefined where the form stays. */
  instruction?: string | undefined;
}

/** A model's answer that did not match, and why. */
export interface WrongAnswer {
  answer: string;
  fault: string;
}

/**
 * The body of a record as it is sent this time: with the schema told in the prompt, and with the wrong answer and what is
 * wrong with it at its end. The same change again changes nothing.
 */
export function changeRecord(
  modelInput: JsonObject,
  { adapter, turns, instruction }: RecordChange,
  wrong?: WrongAnswer,
): JsonObject {
  const { turn, schemaField = [] } = adapter;
  const messages = Array.isArray(modelInput.messages) ? modelInput.messages.filter(isJsonObject) : [];
  if (turn === undefined || messages.length === 0) return modelInput;
  const own = messages.filter(({ role }) => role === 'system').length + turns;
  const isTold = instruction !== undefined && hasField(modelInput, schemaField);
  const kept = messages.slice(0, own);
  const last = kept.at(-1);
  const told = isTold && last !== undefined ? [...kept.slice(0, -1), withText(last, instruction)] : kept;
  const again =
    wrong === undefined
      ? messages.slice(own)
      : [
          turn({ role: 'assistant', text: wrong.answer }),
          turn({ role: 'user', text: reaskText(wrong.fault) }),
        ];
  return {
    ...(isTold ? withoutField(modelInput, schemaField) : modelInput),
    messages: [...told, ...again],
  };
}

/** What a model is told of its wrong answer. */
function reaskText(fault: string): string {
  return `Your answer does not match the JSON Schema: ${fault}. Answer again with one JSON object that matches it, and nothing else.`;
}

/** A message with more text at the end of its last text. */
function withText(message: JsonObject, more: string): JsonObject {
  const { content } = message;
  if (typeof content === 'string') return { ...message, content: content + more };
  const blocks = Array.isArray(content) ? content.filter(isJsonObject) : [];
  const at = blocks.findLastIndex(({ text }) => typeof text === 'string');
  return {
    ...message,
    content: blocks.map((block, index) =>
      index === at ? { ...block, text: `${block.text}${more}` } : block,
    ),
  };
}

function hasField(body: unknown, [key, ...rest]: readonly string[]): boolean {
  if (key === undefined || !isJsonObject(body) || body[key] === undefined) return false;
  return rest.length === 0 || hasField(body[key], rest);
}

/** A body without a field, and without what had nothing else in it. */
function withoutField(body: JsonObject, [key, ...rest]: readonly string[]): JsonObject {
  if (key === undefined) return body;
  const { [key]: value, ...others } = body;
  if (rest.length === 0 || !isJsonObject(value)) return others;
  const left = withoutField(value, rest);
  return Object.keys(left).length === 0 ? others : { ...body, [key]: left };
}
