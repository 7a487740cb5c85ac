/** A text, or other bytes with a length, in a struct of Thrift's compact protocol. */
export interface ThriftText {
  /** The numbers of the fields that lead to it, and of lists the place in them: `2/0/4`. */
  path: string;
  /** Where its length begins, and where it ends. */
  start: number;
  end: number;
  text: string;
}

interface Cursor {
  bytes: Buffer;
  at: number;
}

/** Of the compact protocol. https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md */
const [STOP, TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, STRUCT] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12,
];

/** All texts of a struct, in their order; throws where the bytes are none. */
export function textsIn(bytes: Buffer): ThriftText[] {
  const texts: ThriftText[] = [];
  readStruct({ bytes, at: 0 }, [], texts);
  return texts;
}

/** A text with its length before it. */
export function thriftText(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length: number[] = [];
  let left = bytes.length;
  for (; left > 0x7f; left >>>= 7) length.push((left & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([...length, left]), bytes]);
}

function readStruct(cursor: Cursor, path: readonly number[], texts: ThriftText[]): void {
  for (let field = 0; ; ) {
    const head = readByte(cursor);
    const type = head & 0x0f;
    if (type === STOP) return;
    const delta = head >> 4;
    // A field's number in full is in zigzag, and never negative.
    field = delta > 0 ? field + delta : readVarint(cursor) / 2;
    // The value of a boolean field is in its type.
    if (type !== TRUE && type !== FALSE) readValue(cursor, type, [...path, field], texts);
  }
}

function readValue(cursor: Cursor, type: number, path: readonly number[], texts: ThriftText[]): void {
  switch (type) {
    case TRUE:
    case FALSE:
    case BYTE:
      cursor.at += 1;
      return;
    case I16:
    case I32:
    case I64:
      readVarint(cursor);
      return;
    case DOUBLE:
      cursor.at += 8;
      return;
    case BINARY: {
      const start = cursor.at;
      const length = readVarint(cursor);
      const text = cursor.bytes.toString('utf8', cursor.at, cursor.at + length);
      cursor.at += length;
      texts.push({ path: path.join('/'), start, end: cursor.at, text });
      return;
    }
    case LIST:
    case SET: {
      const head = readByte(cursor);
      const size = head >> 4 === 15 ? readVarint(cursor) : head >> 4;
      for (let place = 0; place < size; place += 1) readValue(cursor, head & 0x0f, [...path, place], texts);
      return;
    }
    case STRUCT:
      readStruct(cursor, path, texts);
      return;
    default:
      throw new Error(`A footer has a value of the type ${type}.`);
  }
}

function readByte(cursor: Cursor): number {
  const byte = cursor.bytes[cursor.at];
  if (byte === undefined) throw new Error('A footer breaks off.');
  cursor.at += 1;
  return byte;
}

/** Of more than 53 bits only where it ends counts. */
function readVarint(cursor: Cursor): number {
  let value = 0;
  for (let factor = 1; ; factor *= 128) {
    const byte = readByte(cursor);
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return value;
  }
}
