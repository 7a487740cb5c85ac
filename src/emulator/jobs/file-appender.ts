import { type FileHandle, open } from 'node:fs/promises';

/** Appends to files that it keeps open, through one buffer each. */
export interface FileAppender extends AsyncDisposable {
  append(path: string, texts: readonly string[]): Promise<void>;
  /** Writes what is buffered, and returns the file's size. */
  flush(path: string): Promise<number>;
}

interface OpenFile {
  handle: FileHandle;
  size: number;
  buffer: Buffer;
  used: number;
}

const BUFFER_BYTES = 256 * 1024;
/** Of UTF-8, for one UTF-16 unit. */
const MAX_BYTES_PER_UNIT = 3;

/** An appender without files. What is not flushed when it is disposed of is not written. */
export function createFileAppender(): FileAppender {
  const files = new Map<string, OpenFile>();

  const openFile = async (path: string): Promise<OpenFile> => {
    const known = files.get(path);
    if (known !== undefined) return known;
    const handle = await open(path, 'a');
    const { size } = await handle.stat();
    const file = { handle, size, buffer: Buffer.allocUnsafeSlow(BUFFER_BYTES), used: 0 };
    files.set(path, file);
    return file;
  };
  const flush = async (file: OpenFile) => {
    for (let from = 0; from < file.used; ) {
      const { bytesWritten } = await file.handle.write(file.buffer, from, file.used - from);
      from += bytesWritten;
    }
    file.size += file.used;
    file.used = 0;
    return file.size;
  };

  return {
    append: async (path, texts) => {
      const file = await openFile(path);
      for (const text of texts) {
        const maxBytes = text.length * MAX_BYTES_PER_UNIT;
        if (maxBytes > file.buffer.length - file.used) await flush(file);
        if (maxBytes > file.buffer.length) file.buffer = Buffer.allocUnsafeSlow(maxBytes);
        file.used += file.buffer.write(text, file.used);
      }
    },
    flush: async (path) => flush(await openFile(path)),
    [Symbol.asyncDispose]: async () => {
      for (const { handle } of files.values()) await handle.close();
    },
  };
}
