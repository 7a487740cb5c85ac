import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';

const WRITE_CHARACTERS = 1 << 20;

/** UTF-8 bytes of a UTF-16 code unit, at most. */
const MAX_UTF8_BYTES = 3;

/** Writes lines of JSON to a file. */
export interface LineWriter extends AsyncDisposable {
  /** A promise where the line fills what one write takes: a million of them take a second to wait for. */
  write(value: unknown): Promise<void> | undefined;
  /** Ends the file; no line has more bytes than this. */
  end(): Promise<{ longestBytes: number }>;
}

/** Opens a file for lines of JSON; only as many are held as one write takes. */
export function openLineWriter(path: string): LineWriter {
  const output = createWriteStream(path);
  let failure: Error | undefined;
  output.on('error', (error) => {
    failure = error;
  });
  let pending: string[] = [];
  let characters = 0;
  let longestBytes = 0;
  const flush = async () => {
    if (failure !== undefined) throw failure;
    const text = pending.join('');
    pending = [];
    characters = 0;
    if (!output.write(text)) await once(output, 'drain');
  };
  return {
    write: (value) => {
      const line = `${JSON.stringify(value)}\n`;
      longestBytes = Math.max(longestBytes, MAX_UTF8_BYTES * line.length);
      pending.push(line);
      characters += line.length;
      return characters > WRITE_CHARACTERS ? flush() : undefined;
    },
    end: async () => {
      await flush();
      output.end();
      await finished(output);
      return { longestBytes };
    },
    [Symbol.asyncDispose]: async () => {
      output.destroy();
    },
  };
}
