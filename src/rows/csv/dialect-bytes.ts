import type { ScanOptions } from './scan-options.ts';

export const NEWLINE = 10;
export const RETURN = 13;
const DOUBLE_QUOTE = 34;
/** No byte. */
const NONE = 256;

/** The bytes that mean something in a dialect. */
export interface DialectBytes {
  delimiter: number;
  quote: number;
  escapeMark: number;
  commentMark: number;
  /** What ends a line. */
  newline: number;
  /** A quote that must not begin a field. */
  foreignQuote: number;
  /** By byte, 1 where it may end a run of plain text. */
  endsPlain: Uint8Array;
  /** The same of quoted text; undefined where nothing but the quote does. */
  endsQuoted: Uint8Array | undefined;
}

/** The bytes that mean something where a file is scanned so. */
export function bytesOf({
  dialect,
  comment,
  returns,
  refusesDoubleQuotes = false,
}: ScanOptions): DialectBytes {
  const [delimiter, quote] = [byteOf(dialect.delimiter), byteOf(dialect.quote)];
  const escapeMark = byteOf(dialect.escape);
  return {
    delimiter,
    quote,
    escapeMark,
    commentMark: byteOf(comment),
    newline: returns === true ? RETURN : NEWLINE,
    foreignQuote: refusesDoubleQuotes ? DOUBLE_QUOTE : NONE,
    endsPlain: tableOf([delimiter, NEWLINE, RETURN, quote, escapeMark]),
    endsQuoted: escapeMark === NONE ? undefined : tableOf([quote, escapeMark]),
  };
}

function byteOf(character = ''): number {
  return character === '' ? NONE : character.charCodeAt(0);
}

function tableOf(bytes: readonly number[]): Uint8Array {
  const table = new Uint8Array(256);
  for (const byte of bytes) table[byte] = 1;
  return table;
}

/** Where one of the bytes that the table has 1 for comes next; -1 where none does. */
export function indexOfAny(bytes: Buffer, from: number, wanted: Uint8Array): number {
  for (let at = from; at < bytes.length; at++) if (wanted[bytes[at] ?? 0] === 1) return at;
  return -1;
}
