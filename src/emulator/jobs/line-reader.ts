import { type FileHandle, open } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** A line and where it is, in bytes. */
export interface LineAt {
  line: string;
  start: number;
  /** The last byte: the newline's, where there is one. */
  end: number;
}

/** Some lines of a file, in a buffer that is used again for the next ones. */
export interface LineBuffer {
  /** Reads the bytes from `start` to `end`, both inclusive, and returns how many lines they hold. */
  read(file: FileHandle, range: { start: number; end: number }): Promise<number>;
  /** Decodes one of the lines that were read last. */
  line(index: number): string;
}

const NEWLINE = 10;
const SPACE = 0x20;
const BUFFER_BYTES = 256 * 1024;

/** The lines of a local file that are not blank, through one buffer: millions of lines leave no buffers to collect. */
export async function* readLines(path: string, signal: AbortSignal): AsyncGenerator<LineAt> {
  await using file = await open(path);
  let buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  let held = 0;
  let offset = 0;
  for (;;) {
    const { bytesRead } = await file.read(buffer, held, buffer.length - held, offset + held);
    held += bytesRead;
    let from = 0;
    while (from < held) {
      const newline = buffer.subarray(0, held).indexOf(NEWLINE, from);
      if (newline === -1 && bytesRead > 0) break;
      const to = newline === -1 ? held : newline;
      if (!isBlank(buffer, from, to)) {
        const end = offset + (newline === -1 ? held - 1 : newline);
        yield { line: buffer.toString('utf8', from, to), start: offset + from, end };
      }
      from = to + 1;
    }
    if (bytesRead === 0) return;
    buffer.copyWithin(0, from, held);
    offset += from;
    held -= from;
    if (held === buffer.length) buffer = Buffer.concat([buffer], buffer.length * 2);
    await nextTurn();
    signal.throwIfAborted();
  }
}

/** An empty buffer of lines. */
export function createLineBuffer(): LineBuffer {
  let buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  let starts: number[] = [];
  let ends: number[] = [];
  return {
    read: async (file, { start, end }) => {
      const size = end - start + 1;
      if (size > buffer.length) buffer = Buffer.allocUnsafeSlow(size);
      const { bytesRead } = await file.read(buffer, 0, size, start);
      starts = [];
      ends = [];
      for (let from = 0; from < bytesRead; ) {
        const newline = buffer.subarray(0, bytesRead).indexOf(NEWLINE, from);
        const to = newline === -1 ? bytesRead : newline;
        if (!isBlank(buffer, from, to)) {
          starts.push(from);
          ends.push(to);
        }
        from = to + 1;
      }
      return starts.length;
    },
    line: (index) => buffer.toString('utf8', starts[index], ends[index]),
  };
}

function isBlank(buffer: Buffer, from: number, to: number): boolean {
  for (let index = from; index < to; index += 1) if ((buffer[index] ?? 0) > SPACE) return false;
  return true;
}
