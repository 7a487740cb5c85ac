import type { ChildResult } from './child-execution.ts';

/** Characters after which a result file is written; what comes later goes into the next. */
const MAX_FILE_LENGTH = 8 * 1024 * 1024;

/** Writes a text to S3. */
export type PutText = (key: string, body: string) => Promise<void>;

/** The results of one kind of ending, in as many files as they fill: `<prefix>_0.json`, `<prefix>_1.json`, … */
export class ResultFile {
  readonly #prefix: string;
  readonly #put: PutText;
  readonly #written: { Key: string; Size: number }[] = [];
  #pending: string[] = [];
  #pendingLength = 0;

  constructor(prefix: string, put: PutText) {
    this.#prefix = prefix;
    this.#put = put;
  }

  async add(result: ChildResult): Promise<void> {
    const text = JSON.stringify(result);
    this.#pending.push(text);
    this.#pendingLength += text.length;
    if (this.#pendingLength >= MAX_FILE_LENGTH) await this.#flush();
  }

  /** Writes the rest; gives what a manifest says of the files. */
  async finish(): Promise<readonly { Key: string; Size: number }[]> {
    if (this.#pending.length > 0) await this.#flush();
    return this.#written;
  }

  async #flush(): Promise<void> {
    const Key = `${this.#prefix}_${this.#written.length}.json`;
    const body = `[${this.#pending.join(',')}]`;
    // Counted and emptied before the write, so that results that come meanwhile go into the next file.
    this.#written.push({ Key, Size: Buffer.byteLength(body) });
    this.#pending = [];
    this.#pendingLength = 0;
    await this.#put(Key, body);
  }
}
