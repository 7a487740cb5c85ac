import type { FileBytes } from '../bytes/record-bytes.ts';
import type { CsvDialect, CsvRecord } from './scan-options.ts';

/** The dialect of what is written anew: every field quoted, so that no reader can take it for anything else. */
export const CANONICAL_DIALECT: CsvDialect = { delimiter: ',', quote: '"' };

const QUOTE = 34;
const COMMA = 44;
const NEWLINE = 10;
const CAPITAL_N = 78;
/** Of a buffer that grows: there is one for each of thousands of small files. */
const FIRST_BYTES = 1 << 12;

/** The texts of a record's fields. */
export function textsOf(
  { start, fieldEnds }: CsvRecord,
  { bytes, offset }: FileBytes,
  dialect: CsvDialect,
): string[] {
  let at = start - offset;
  return fieldEnds.map((end) => {
    const text = bytes.toString('utf8', at, end - offset);
    at = end - offset + 1;
    return fieldValue(text, dialect);
  });
}

function fieldValue(text: string, { quote, escape: mark }: CsvDialect): string {
  const isQuoted = quote !== '' && text.startsWith(quote);
  const inner = isQuoted ? text.slice(1, -1) : text;
  if (mark === undefined) return isQuoted ? inner.replaceAll(`${quote}${quote}`, quote) : inner;
  if (text === `${mark}N`) return text;
  let value = '';
  for (let at = 0; at < inner.length; at++) {
    // Two characters that stand for the second of them.
    if (inner[at] === mark || (isQuoted && inner[at] === quote)) at += 1;
    value += inner[at] ?? '';
  }
  return value;
}

/** Writes records in the canonical dialect into a buffer that grows. */
export interface CanonicalWriter {
  /** Writes a record, with empty fields after its own where it has fewer than the columns. */
  write(record: CsvRecord, source: FileBytes): void;
  /** What was written since the last time. */
  take(): Buffer;
}

/** A writer of records that are in this dialect, as this many columns. */
export function createCanonicalWriter({ quote, escape: mark }: CsvDialect, columns: number): CanonicalWriter {
  const quoteByte = quote === '' ? -1 : quote.charCodeAt(0);
  const markByte = mark === undefined ? -1 : mark.charCodeAt(0);
  let output = Buffer.allocUnsafe(FIRST_BYTES);
  let length = 0;
  const reserve = (bytes: number) => {
    if (length + bytes <= output.length) return;
    const larger = Buffer.allocUnsafe(Math.max(2 * output.length, length + bytes));
    output.copy(larger, 0, 0, length);
    output = larger;
  };
  const writeField = (bytes: Buffer, from: number, to: number) => {
    const isQuoted = to > from && bytes[from] === quoteByte;
    const [first, last] = isQuoted ? [from + 1, to - 1] : [from, to];
    // Each byte may be a quote, which is doubled.
    reserve(2 * (last - first) + 3);
    output[length++] = QUOTE;
    const isNull = to - from === 2 && bytes[from] === markByte && bytes[from + 1] === CAPITAL_N;
    if (isNull || (isQuoted && quoteByte === QUOTE && mark === undefined)) {
      length += bytes.copy(output, length, first, last);
    } else {
      for (let at = first; at < last; at++) {
        // Two bytes that stand for the second of them.
        if (bytes[at] === markByte || (isQuoted && bytes[at] === quoteByte)) at += 1;
        const byte = bytes[at] ?? 0;
        if (byte === QUOTE) output[length++] = QUOTE;
        output[length++] = byte;
      }
    }
    output[length++] = QUOTE;
  };
  return {
    write: ({ start, fieldEnds }, { bytes, offset }) => {
      let from = start - offset;
      for (const [index, end] of fieldEnds.entries()) {
        if (index > 0) output[length++] = COMMA;
        writeField(bytes, from, end - offset);
        from = end - offset + 1;
        reserve(2);
      }
      for (let index = fieldEnds.length; index < columns; index++) {
        reserve(4);
        output[length++] = COMMA;
        output[length++] = QUOTE;
        output[length++] = QUOTE;
      }
      reserve(2);
      output[length++] = NEWLINE;
    },
    take: () => {
      const taken = output.subarray(0, length);
      output = Buffer.allocUnsafe(Math.max(FIRST_BYTES, length));
      length = 0;
      return taken;
    },
  };
}

/** The canonical header: names that no reader changes, `c0`, `c1`, … */
export function canonicalHeader(columns: number): Buffer {
  return Buffer.from(`${Array.from({ length: columns }, (_, index) => `c${index}`).join(',')}\n`);
}
