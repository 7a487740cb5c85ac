import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';

/** An input file while it is written; whatever the disk says against it rejects the next call. */
export interface RecordsFile {
  write(line: Buffer): Promise<void>;
  end(): Promise<void>;
  /** Lets go of it, were it not at its end. */
  discard(): void;
}

/** Opens a file for records, in place of what is there. */
export function openRecordsFile(path: string): RecordsFile {
  const output = createWriteStream(path);
  let failure: Error | undefined;
  // Without a listener, an error between two calls would end the process.
  output.on('error', (error) => {
    failure = error;
  });
  return {
    write: async (line) => {
      if (failure !== undefined) throw failure;
      if (!output.write(line)) await once(output, 'drain');
    },
    end: async () => {
      if (failure !== undefined) throw failure;
      output.end();
      await finished(output);
    },
    discard: () => void output.destroy(),
  };
}
