import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readCsvRecords } from './csv-structure.ts';
import type { SourceFile } from './source-bytes.ts';

/**
 * Bytes of a piece. DuckDB's serial CSV reader holds every value that had a doubled quote in it until the end of the
 * file: a file of gigabytes would take as much memory.
 */
export const CSV_PIECE_BYTES = 64_000_000;

/** Consecutive rows of a CSV file, unpacked, below its header: a file for as long as it is not disposed of. */
export interface CsvPiece extends AsyncDisposable {
  path: string;
  rows: number;
}

/** Where the pieces go, and how large they are. */
export interface CutOptions {
  scratchDirectory: string;
  /** Rows to cut; the last piece may have more. */
  rows: number;
  /** @default CSV_PIECE_BYTES */
  pieceBytes?: number;
}

/** Cuts a CSV file whose structure was read before into pieces of whole records, the next while one is being read. */
export async function* cutCsv(file: SourceFile, options: CutOptions): AsyncGenerator<CsvPiece> {
  const pieces = writePieces(file, options);
  let next = pieces.next();
  try {
    for (;;) {
      const { value, done } = await next;
      if (done) return;
      next = pieces.next();
      // It is awaited when its turn comes, or below.
      next.catch(() => {});
      yield value;
    }
  } finally {
    const left = await next.catch(() => undefined);
    if (left !== undefined && !left.done) await left.value[Symbol.asyncDispose]();
    await pieces.return(undefined);
  }
}

async function* writePieces(
  file: SourceFile,
  { scratchDirectory, rows: wanted, pieceBytes = CSV_PIECE_BYTES }: CutOptions,
): AsyncGenerator<CsvPiece> {
  let header: Buffer | undefined;
  let piece: OpenPiece | undefined;
  let count = 0;
  let left = wanted;
  try {
    for await (const { bytes, rows } of readCsvRecords(file)) {
      if (header === undefined) {
        header = bytes;
        continue;
      }
      if (piece === undefined) {
        piece = await openPiece(join(scratchDirectory, `piece-${count}.csv`), header);
        count += 1;
      }
      await piece.write(bytes, rows);
      left -= rows;
      if (left > 0 && piece.bytes() < pieceBytes) continue;
      const whole = await piece.close();
      piece = undefined;
      yield whole;
      if (left <= 0) return;
    }
    if (piece === undefined) return;
    const last = await piece.close();
    piece = undefined;
    yield last;
  } finally {
    await piece?.discard();
  }
}

interface OpenPiece {
  write(bytes: Buffer, rows: number): Promise<void>;
  bytes(): number;
  close(): Promise<CsvPiece>;
  discard(): Promise<void>;
}

async function openPiece(path: string, header: Buffer): Promise<OpenPiece> {
  const file = await open(path, 'w');
  const remove = () => rm(path, { force: true });
  let [size, count] = [0, 0];
  const discard = async () => {
    await file.close();
    await remove();
  };
  const write = async (bytes: Buffer, rows: number) => {
    await writeAll(file, bytes);
    size += bytes.length;
    count += rows;
  };
  try {
    await write(header, 0);
  } catch (error) {
    await discard();
    throw error;
  }
  return {
    write,
    bytes: () => size,
    close: async () => {
      await file.close();
      return { path, rows: count, [Symbol.asyncDispose]: remove };
    },
    discard,
  };
}

async function writeAll(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten;
}
