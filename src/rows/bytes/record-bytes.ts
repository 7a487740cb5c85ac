import { countNewlines, NEWLINE } from './source-encoding.ts';

/** Bytes that begin at an offset of the file. */
export interface FileBytes {
  bytes: Buffer;
  offset: number;
}

/** The bytes of the chunk that is scanned, and those before it of the record that has not ended. */
export interface RecordBytes {
  /** To be called before a chunk is scanned, with where the record begins that it goes on with. */
  push(chunk: Buffer, recordStart: number): void;
  bytes(): FileBytes;
  /** The number of the line that an offset within these bytes is in. */
  lineOf(offset: number): number;
}

/** Starts with no bytes, of lines that end in `newline`. */
export function createRecordBytes(newline = NEWLINE): RecordBytes {
  let held: FileBytes = { bytes: Buffer.alloc(0), offset: 0 };
  let line = 1;
  return {
    push: (chunk, recordStart) => {
      const dropped = recordStart - held.offset;
      line += countNewlines(held.bytes.subarray(0, dropped), newline);
      const rest = held.bytes.subarray(dropped);
      held = { bytes: rest.length === 0 ? chunk : Buffer.concat([rest, chunk]), offset: recordStart };
    },
    bytes: () => held,
    lineOf: (offset) => line + countNewlines(held.bytes.subarray(0, offset - held.offset), newline),
  };
}
