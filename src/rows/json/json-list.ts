import { InvalidDatasetError } from '../../core/errors.ts';
import { readSourceBytes, type SourceFile } from '../bytes/source-bytes.ts';
import { type JsonText, MAX_JSON_RECORD_BYTES, tooLong } from './json-texts.ts';

const NEWLINE = 10;
const QUOTE = 34;
const COMMA = 44;
const LIST_START = 91;
const BACKSLASH = 92;
const LIST_END = 93;
const OBJECT_START = 123;
const OBJECT_END = 125;

/** Where in the list the reader is. */
type Place = 'before' | 'at first' | 'at next' | 'within' | 'after';

/** True where the first byte of JSON that says something begins a list. */
export async function isJsonList(file: SourceFile): Promise<boolean> {
  for await (const chunk of readSourceBytes(file)) {
    const first = chunk.find((byte) => !isSpace(byte));
    if (first !== undefined) return first === LIST_START;
  }
  return false;
}

/**
 * The entries of a file that is one list, as they stand there; whether each is sound JSON is for the caller to see. Throws
 * InvalidDatasetError where one is too long, or the file is no list.
 */
export async function* readJsonList(
  file: SourceFile,
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<JsonText> {
  const fault = (what: string) =>
    new InvalidDatasetError(
      `Line ${line} of ${file.uri} ${what}. A .json file has one object a line, or is one list of objects.`,
    );
  let place: Place = 'before';
  let [depth, line, entryLine, heldBytes] = [0, 1, 1, 0];
  let [isInText, isEscaped] = [false, false];
  let held: Buffer[] = [];
  for await (const chunk of chunks) {
    let start = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0;
      if (byte === NEWLINE) line += 1;
      if (isInText) {
        if (isEscaped) isEscaped = false;
        else if (byte === BACKSLASH) isEscaped = true;
        else if (byte === QUOTE) isInText = false;
        continue;
      }
      if (place === 'within') {
        if (depth === 0 && (byte === COMMA || byte === LIST_END)) {
          const text = Buffer.concat([...held, chunk.subarray(start, at)]);
          if (text.length > MAX_JSON_RECORD_BYTES) throw tooLong(file, entryLine);
          yield { text: text.toString().trimEnd(), line: entryLine };
          [held, heldBytes] = [[], 0];
          place = byte === COMMA ? 'at next' : 'after';
        } else if (byte === QUOTE) isInText = true;
        else if (byte === OBJECT_START || byte === LIST_START) depth += 1;
        else if ((byte === OBJECT_END || byte === LIST_END) && depth > 0) depth -= 1;
        continue;
      }
      if (isSpace(byte)) continue;
      if (place === 'before') {
        if (byte !== LIST_START) throw fault('begins no list');
        place = 'at first';
      } else if (place === 'after') {
        throw fault('goes on after the end of the list');
      } else if (byte === LIST_END || byte === COMMA) {
        if (byte === COMMA || place === 'at next')
          throw fault('lacks an object between two commas of the list');
        place = 'after';
      } else {
        [place, start, entryLine] = ['within', at, line];
        if (byte === QUOTE) isInText = true;
        else if (byte === OBJECT_START || byte === LIST_START) depth = 1;
        else depth = 0;
      }
    }
    if (place !== 'within') continue;
    held.push(chunk.subarray(start));
    heldBytes += chunk.length - start;
    if (heldBytes > MAX_JSON_RECORD_BYTES) throw tooLong(file, entryLine);
  }
  if (place !== 'after') throw fault('ends before its list does');
}

/** True for the bytes that JSON allows between its tokens. */
function isSpace(byte: number): boolean {
  return byte === 32 || byte === NEWLINE || byte === 13 || byte === 9;
}
