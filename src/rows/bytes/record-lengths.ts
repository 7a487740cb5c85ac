import { createReadStream } from 'node:fs';

/** Bytes of one number in the file. */
const NUMBER_BYTES = 4;
const READ_BYTES = 1 << 20;
const NEWLINE = 10;

/**
 * How many bytes each line of a file of records has, its newline included: whoever needs a few records reads them by their
 * ranges. As bytes, four for each line, the lowest first.
 */
export class RecordLengths {
  readonly #ends: Float64Array;

  private constructor(lengths: readonly number[]) {
    this.#ends = new Float64Array(lengths.length);
    let end = 0;
    for (const [index, length] of lengths.entries()) {
      end += length;
      this.#ends[index] = end;
    }
  }

  /** Of a file's chunks, in order; a last line without a newline counts. */
  static async of(chunks: AsyncIterable<Buffer>): Promise<RecordLengths> {
    const lengths: number[] = [];
    let length = 0;
    for await (const bytes of chunks) {
      let start = 0;
      for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
        lengths.push(length + end + 1 - start);
        length = 0;
        start = end + 1;
      }
      length += bytes.length - start;
    }
    if (length > 0) lengths.push(length);
    return new RecordLengths(lengths);
  }

  /** Of a local file. */
  static ofFile(path: string): Promise<RecordLengths> {
    return RecordLengths.of(createReadStream(path, { highWaterMark: READ_BYTES }));
  }

  /** From what `toBytes` gave. */
  static fromBytes(bytes: Uint8Array): RecordLengths {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const lengths: number[] = [];
    for (let at = 0; at + NUMBER_BYTES <= bytes.byteLength; at += NUMBER_BYTES) {
      lengths.push(view.getUint32(at, true));
    }
    return new RecordLengths(lengths);
  }

  toBytes(): Uint8Array {
    const view = new DataView(new ArrayBuffer(this.#ends.length * NUMBER_BYTES));
    let start = 0;
    for (const [index, end] of this.#ends.entries()) {
      view.setUint32(index * NUMBER_BYTES, end - start, true);
      start = end;
    }
    return new Uint8Array(view.buffer);
  }

  /** Where a record is, counted from 0: its first byte, and the one after its newline; undefined where there is none. */
  at(record: number): { start: number; end: number } | undefined {
    const end = this.#ends[record];
    return end === undefined ? undefined : { start: this.#ends[record - 1] ?? 0, end };
  }
}
