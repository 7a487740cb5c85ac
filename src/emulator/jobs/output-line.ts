import { isJsonObject, type JsonObject } from '../../core/text/json-value.ts';
import type { RecordFaults } from '../faults/fault-injector.ts';
import type { WrittenAnswer } from '../models/answerer.ts';
import type { Refusal } from '../models/model-family.ts';

/** One record with what it got. */
export interface AnsweredRecord {
  recordId: string;
  /** As the input spelled it. */
  modelInputText: string;
  result: WrittenAnswer | Refusal;
  faults: RecordFaults | undefined;
}

const AWKWARD = '\u2028\u0085\u0000';
const STAND_IN = '@@lone-surrogate@@';

/** The output's line or lines for a record, each with its newline. */
export function toOutputLines({ recordId, modelInputText, result, faults }: AnsweredRecord): string {
  const id = JSON.stringify(recordId);
  if (result.kind === 'refusal') {
    const error = JSON.stringify({ errorCode: result.errorCode, errorMessage: result.errorMessage });
    const nulls = faults?.hasNulls === true ? '"modelOutput":null,' : '';
    return deform(`{"modelInput":${modelInputText},${nulls}"error":${error},"recordId":${id}}`, faults);
  }
  const nulls = faults?.hasNulls === true ? ',"error":null' : '';
  const change = textChangeOf(faults);
  const output = change === undefined ? result.modelOutput : withTexts(result.modelOutput, change);
  const text = JSON.stringify(output).replace(STAND_IN, '\\ud800');
  return deform(`{"modelInput":${modelInputText},"modelOutput":${text}${nulls},"recordId":${id}}`, faults);
}

function textChangeOf(faults: RecordFaults | undefined): ((text: string) => string) | undefined {
  if (faults?.isBroken === true) return (text) => text.replace(':', ' ');
  if (faults?.isAwkward === true) return (text) => `${text}${AWKWARD}`;
  if (faults?.corruption === 'lone-surrogate') return (text) => `${text}${STAND_IN}`;
  return undefined;
}

function deform(line: string, faults: RecordFaults | undefined): string {
  if (faults === undefined) return `${line}\n`;
  const whole = corrupt(line, faults.corruption);
  return faults.isDuplicated ? `${whole}\n${whole}\n` : `${whole}\n`;
}

function corrupt(line: string, corruption: RecordFaults['corruption']): string {
  switch (corruption) {
    case 'truncated':
      return line.slice(0, Math.floor(line.length * 0.7));
    case 'not-json':
      return 'Internal Server Error';
    case 'lone-surrogate':
    case undefined:
      return line;
  }
}

/** Changes every text that the model gave, wherever its family puts it. */
function withTexts(output: JsonObject, change: (text: string) => string): JsonObject {
  const visit = (value: unknown, key: string): unknown => {
    if (typeof value === 'string') {
      return key === 'text' || key === 'content' || key === 'generation' ? change(value) : value;
    }
    if (Array.isArray(value)) {
      return typeof value[0] === 'number'
        ? value
        : value.map((item) => visit(item, key === 'content' ? '' : key));
    }
    if (isJsonObject(value)) {
      return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, visit(member, name)]));
    }
    return value;
  };
  return visit(output, '') as JsonObject;
}
