const NEWLINE = 10;

/** How long a line may be, and what to throw of one that is longer. */
export interface LineLimit {
  maxBytes: number;
  /** `line` is its number, from 1. */
  tooLong: (line: number) => Error;
}

/** Where a line begins, and where its newline is. */
export interface LineBounds {
  start: number;
  end: number;
}

/**
 * The lines whose newlines are among the first `size` bytes: the one place that says where a line ends. What comes after
 * the last newline is the beginning of another line.
 */
export function* lineBounds(bytes: Buffer, size = bytes.length): Generator<LineBounds> {
  const held = bytes.subarray(0, size);
  let start = 0;
  for (let end = held.indexOf(NEWLINE); end !== -1; end = held.indexOf(NEWLINE, start)) {
    yield { start, end };
    start = end + 1;
  }
}

/**
 * The lines of a stream of bytes, without their newlines; an empty one only where two newlines meet. They end at \n
 * alone: Node's reader of lines ends them at U+2028, U+2029 and a lone \r too, the first two of which JSON may have raw.
 * No more than `maxBytes` of a line, and a chunk, are held.
 */
export async function* linesOf(chunks: AsyncIterable<Buffer>, limit?: LineLimit): AsyncGenerator<Buffer> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  let line = 1;
  for await (const bytes of chunks) {
    let next = 0;
    for (const { start, end } of lineBounds(bytes)) {
      const piece = bytes.subarray(start, end);
      assertWithin(limit, { bytes: restBytes + piece.length, line });
      yield rest.length === 0 ? piece : Buffer.concat([...rest, piece]);
      rest = [];
      restBytes = 0;
      line += 1;
      next = end + 1;
    }
    if (next === bytes.length) continue;
    rest.push(bytes.subarray(next));
    restBytes += bytes.length - next;
    assertWithin(limit, { bytes: restBytes, line });
  }
  if (rest.length > 0) yield Buffer.concat(rest);
}

function assertWithin(limit: LineLimit | undefined, at: { bytes: number; line: number }): void {
  if (limit !== undefined && at.bytes > limit.maxBytes) throw limit.tooLong(at.line);
}
