import { membersOf } from '../../core/text/json-members.ts';
import { isJsonObject, type JsonObject } from '../../core/text/json-value.ts';

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
  return membersOf(line).get('modelInput') ?? '';
}
