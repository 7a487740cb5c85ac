import { rm } from 'node:fs/promises';
import { type GatheredFile, openGatheredFile } from '../bytes/gathered-file.ts';
import type { RowWindow } from '../bytes/source-bytes.ts';
import type { TextRecords } from './text-records.ts';

/** Consecutive rows of a text file, unpacked: small files, in order, for as long as it is not disposed of. */
export interface TextPiece extends RowWindow, AsyncDisposable {
  paths: string[];
}

/** Which rows to cut out, where the pieces go, and how large they are. */
export interface CutOptions {
  /** In order; what lies between them is passed over. No piece has rows of two of them. */
  windows: readonly RowWindow[];
  /** True where the first records are a header, which is to stand above each file. */
  hasHeader: boolean;
  /** Begins the files' paths. */
  scratchPrefix: string;
  /**
   * Bytes after which a file ends.
   * @default FILE_BYTES
   */
  fileBytes?: number;
  /**
   * Bytes after which a piece ends.
   * @default PIECE_BYTES
   */
  pieceBytes?: number;
}

/**
 * DuckDB's serial CSV reader holds every value that had a doubled quote in it until the end of the file, and a vector has
 * 2,048 values, unless the file ends: small files need little memory.
 */
const FILE_BYTES = 16_000_000;
/** More than most parts have. A piece, and the next one, lie on the disk. */
const PIECE_BYTES = 512_000_000;

/** Where the runs of records have to end that windows are cut from. */
export function boundsOf(windows: readonly RowWindow[]): number[] {
  return windows.flatMap(({ firstRow, rows }) => [firstRow, firstRow + rows]);
}

/** Cuts a file into pieces of whole records, the next while one is being read. `records` are cut at `boundsOf` the windows. */
export async function* cutText(
  records: AsyncIterable<TextRecords>,
  options: CutOptions,
): AsyncGenerator<TextPiece> {
  const pieces = writePieces(records, options);
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
  records: AsyncIterable<TextRecords>,
  { windows, hasHeader, scratchPrefix, fileBytes = FILE_BYTES, pieceBytes = PIECE_BYTES }: CutOptions,
): AsyncGenerator<TextPiece> {
  const ahead = [...windows];
  let header: Buffer[] | undefined = hasHeader ? undefined : [];
  let piece: OpenPiece | undefined;
  let files = 0;
  const nextPath = () => {
    files += 1;
    return `${scratchPrefix}${files}`;
  };
  try {
    for await (const { chunks, firstRow, rows } of records) {
      if (header === undefined) {
        header = chunks;
        continue;
      }
      const [window] = ahead;
      if (window === undefined) return;
      if (firstRow + rows <= window.firstRow) continue;
      piece ??= openPiece(firstRow, { header, nextPath, fileBytes });
      await piece.write(chunks, rows);
      const isLast = firstRow + rows >= window.firstRow + window.rows;
      if (!isLast && piece.bytes() < pieceBytes) continue;
      if (isLast) ahead.shift();
      const whole = await piece.close();
      piece = undefined;
      yield whole;
      if (ahead.length === 0) return;
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
  write(chunks: readonly Buffer[], rows: number): Promise<void>;
  bytes(): number;
  close(): Promise<TextPiece>;
  discard(): Promise<void>;
}

function openPiece(
  firstRow: number,
  { header, nextPath, fileBytes }: { header: readonly Buffer[]; nextPath: () => string; fileBytes: number },
): OpenPiece {
  const paths: string[] = [];
  let file: GatheredFile | undefined;
  let [closedBytes, count] = [0, 0];
  const closeFile = async () => {
    if (file === undefined) return;
    await file.close();
    closedBytes += file.bytes();
    file = undefined;
  };
  const remove = async () => {
    await Promise.all(paths.map((path) => rm(path, { force: true })));
  };
  return {
    write: async (chunks, rows) => {
      if (file !== undefined && file.bytes() >= fileBytes) await closeFile();
      if (file === undefined) {
        const path = nextPath();
        paths.push(path);
        file = await openGatheredFile(path);
        for (const chunk of header) await file.append(chunk);
      }
      for (const chunk of chunks) await file.append(chunk);
      count += rows;
    },
    bytes: () => closedBytes + (file?.bytes() ?? 0),
    close: async () => {
      await closeFile();
      return { paths, firstRow, rows: count, [Symbol.asyncDispose]: remove };
    },
    discard: async () => {
      await file?.abandon();
      await remove();
    },
  };
}
