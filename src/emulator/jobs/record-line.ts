import { isJsonObject, type JsonObject } from '../models/model-family.ts';

/** One line of an input file. */
export interface RecordLine {
  recordId: string | undefined;
  modelInput: JsonObject;
  /** The model input exactly as the line spells it, to be echoed. */
  modelInputText: string;
}

/** Reads a line of an input file; a string tells what is wrong with it. */
export function parseRecordLine(line: string): RecordLine | string {
  const record = parseJson(line);
  if (record === undefined) return 'the line is not valid JSON';
  if (!isJsonObject(record)) return 'the line is not a JSON object';
  const { recordId, modelInput } = record;
  if (modelInput === undefined) return 'the key "modelInput" is missing';
  if (!isJsonObject(modelInput)) return '"modelInput" is not a JSON object';
  if (recordId !== undefined && typeof recordId !== 'string') return '"recordId" is not a string';
  return { recordId, modelInput, modelInputText: sliceModelInput(line, record) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Cuts the model input out of the line: for lines as most writers make them without reading them again. */
function sliceModelInput(line: string, record: JsonObject): string {
  const start = `{"recordId":"${record.recordId}","modelInput":`;
  if (Object.keys(record).length === 2 && line.startsWith(start)) {
    return line.slice(start.length, line.lastIndexOf('}')).trim();
  }
  return topLevelValue(line, 'modelInput');
}

/** The text of a top-level member of a JSON object that is known to be valid; of the last one, as JSON.parse has it. */
function topLevelValue(json: string, name: string): string {
  let found = '';
  let index = skipSpace(json, json.indexOf('{') + 1);
  while (json[index] === '"') {
    const keyEnd = stringEnd(json, index);
    const key: unknown = JSON.parse(json.slice(index, keyEnd));
    const valueStart = skipSpace(json, skipSpace(json, keyEnd) + 1);
    const valueEnd = endOfValue(json, valueStart);
    if (key === name) found = json.slice(valueStart, valueEnd);
    index = skipSpace(json, skipSpace(json, valueEnd) + 1);
  }
  return found;
}

function skipSpace(json: string, start: number): number {
  let index = start;
  while (index < json.length && json.charCodeAt(index) <= 0x20) index += 1;
  return index;
}

function stringEnd(json: string, start: number): number {
  let index = start + 1;
  while (json[index] !== '"') index += json[index] === '\\' ? 2 : 1;
  return index + 1;
}

function endOfValue(json: string, start: number): number {
  let index = start;
  let depth = 0;
  do {
    const character = json[index];
    if (character === '"') {
      index = stringEnd(json, index);
    } else if (character === '{' || character === '[') {
      depth += 1;
      index += 1;
    } else if (character === '}' || character === ']') {
      depth -= 1;
      index += 1;
    } else if (depth > 0) {
      index += 1;
    } else {
      while (index < json.length && !/[,}\]\s]/.test(json[index] ?? '')) index += 1;
    }
  } while (depth > 0);
  return index;
}
