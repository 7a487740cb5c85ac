import { type FileHandle, open } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { lineBounds } from '../../core/text/lines.ts';

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
    let next = 0;
    for (const { start, end } of lineBounds(buffer, held)) {
      if (!isBlank(buffer, start, end)) yield lineAt(buffer, { offset, start, end }, offset + end);
      next = end + 1;
    }
    if (bytesRead === 0) {
      if (!isBlank(buffer, next, held)) {
        yield lineAt(buffer, { offset, start: next, end: held }, offset + held - 1);
      }
      return;
    }
    buffer.copyWithin(0, next, held);
    offset += next;
    held -= next;
    if (held === buffer.length) buffer = Buffer.concat([buffer], buffer.length * 2);
    await nextTurn();
    signal.throwIfAborted();
  }
}

function lineAt(
  buffer: Buffer,
  { offset, start, end }: { offset: number; start: number; end: number },
  last: number,
): LineAt {
  return { line: buffer.toString('utf8', start, end), start: offset + start, end: last };
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
      const keep = (from: number, to: number) => {
        if (isBlank(buffer, from, to)) return;
        starts.push(from);
        ends.push(to);
      };
      let next = 0;
      for (const { start: from, end: to } of lineBounds(buffer, bytesRead)) {
        keep(from, to);
        next = to + 1;
      }
      keep(next, bytesRead);
      return starts.length;
    },
    line: (index) => buffer.toString('utf8', starts[index], ends[index]),
  };
}

function isBlank(buffer: Buffer, from: number, to: number): boolean {
  for (let index = from; index < to; index += 1) if ((buffer[index] ?? 0) > SPACE) return false;
  return true;
}
