import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';

const WRITE_CHARACTERS = 1 << 20;

/** Writes lines of JSON to a file. */
export interface LineWriter extends AsyncDisposable {
  write(value: unknown): Promise<void>;
  /** Ends the file; the bytes of its longest line. */
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
    write: async (value) => {
      const line = `${JSON.stringify(value)}\n`;
      longestBytes = Math.max(longestBytes, Buffer.byteLength(line));
      pending.push(line);
      characters += line.length;
      if (characters > WRITE_CHARACTERS) await flush();
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
