import { type FileHandle, open } from 'node:fs/promises';
import { deserializeTCompactProtocol } from 'hyparquet/src/thrift.js';
import { InvalidDatasetError } from '../../core/errors.ts';
import { privately } from '../../core/text/private-text.ts';
import type { RowWindow, SourceFile } from '../bytes/source-bytes.ts';
import { leavesOf } from './footer-checks.ts';
import { countListRows, type LevelledPage } from './list-rows.ts';
import { type ColumnChunk, type ParquetFooter, readParquetFooter } from './parquet-footer.ts';

/** A Parquet file of a dataset; its name is for messages. */
export interface CountedFile extends Pick<SourceFile, 'path' | 'fetchRows'> {
  name: string;
}

/** Brings the rows of a window here, where they are not, and counts them: to be called before they are read. */
export type RowBringer = (file: CountedFile, columns: readonly string[], window: RowWindow) => Promise<void>;

/** Bytes that are read at once of a column: small pages are many, and headers are short. */
const READ_BYTES = 16 * 1024;
/** A header may have the smallest and the largest value in it. */
const MOST_HEADER_BYTES = 64 * 1024 ** 2;

/** Of PageHeader's `type`. https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift */
const DATA_PAGE = 0;
const DATA_PAGE_V2 = 3;

/**
 * Reads each file's footer once. DuckDB reads as many values of a column as the footer says, however many its pages have: rows
 * would be missing without a word, and so they would where a file of nothing but lists tells of other rows. Throws InvalidDatasetError where the two differ.
 */
export function createRowBringer(): RowBringer {
  const known = new Map<string, Promise<ParquetFooter>>();
  const checked = new Set<string>();
  return async ({ name, path, fetchRows }, columns, window) => {
    await fetchRows?.(columns, window);
    const { firstRow, rows } = window;
    const footer = known.get(path) ?? readParquetFooter(path);
    known.set(path, footer);
    const wanted = new Set(columns);
    const leaves = leavesOf((await footer).columns);
    // Any other column has a value for each row, and these are counted in the footer.
    const isListsOnly = leaves.every(({ depth }) => depth > 0);
    await using file = await open(path);
    let first = 0;
    for (const [index, group] of (await footer).rowGroups.entries()) {
      const isWithin = first < firstRow + rows && first + group.rows > firstRow;
      first += group.rows;
      if (!isWithin) continue;
      for (const [place, chunk] of group.chunks.entries()) {
        const key = `${index} ${place} ${path}`;
        if (checked.has(key) || !wanted.has(chunk.path[0] ?? '')) continue;
        checked.add(key);
        const depth = isListsOnly ? (leaves[place]?.depth ?? 0) : 0;
        const lie = await findPageLie(file, { chunk, rows: group.rows, depth });
        if (lie === undefined) continue;
        throw new InvalidDatasetError(
          `${name} contradicts itself: its footer tells of ${lie.told} of the column ${privately(chunk.path.join('.'))} in row group ${index}, but its pages have ${lie.counted}. Have it written again by what made it.`,
        );
      }
    }
  };
}

/** What a footer tells of a column otherwise than its pages; `depth` is 0 where its rows are not to be counted. */
async function findPageLie(
  file: FileHandle,
  { chunk, rows, depth }: { chunk: ColumnChunk; rows: number; depth: number },
): Promise<{ told: string; counted: number } | undefined> {
  const counted = await countPages(file, chunk, depth);
  if (counted === undefined) return undefined;
  if (counted.values !== chunk.values) return { told: `${chunk.values} values`, counted: counted.values };
  if (depth === 0 || counted.rows === undefined || counted.rows === rows) return undefined;
  return { told: `${rows} rows`, counted: counted.rows };
}

/**
 * How many values the headers of a chunk's pages tell of, and rows where values are within lists. Undefined where they cannot be
 * read, which is for DuckDB to say.
 */
async function countPages(
  file: FileHandle,
  { start, bytes, codec }: ColumnChunk,
  depth: number,
): Promise<{ values: number; rows: number | undefined } | undefined> {
  if (!(start >= 0)) return undefined;
  const end = start + bytes;
  let values = 0;
  let rows: number | undefined = 0;
  let held: Held = { bytes: Buffer.alloc(0), offset: start };
  for (let at = start; at < end; ) {
    const page = await readHeader(file, at, held);
    if (page === undefined) return undefined;
    if (depth > 0 && page.values > 0 && rows !== undefined) {
      const begun = page.rows ?? (await countRowsOf(file, page, { codec, depth }));
      rows = begun === undefined ? undefined : rows + begun;
    }
    held = page.held;
    values += page.values;
    at = page.next;
  }
  return { values, rows };
}

async function countRowsOf(
  file: FileHandle,
  { next, packedBytes, ...page }: PageHeader,
  { codec, depth }: Pick<LevelledPage, 'codec' | 'depth'>,
): Promise<number | undefined> {
  const packed = Buffer.alloc(packedBytes);
  const { bytesRead } = await file.read(packed, 0, packedBytes, next - packedBytes);
  return bytesRead < packedBytes ? undefined : countListRows(packed, { ...page, codec, depth });
}

interface Held {
  bytes: Buffer<ArrayBuffer>;
  offset: number;
}

interface PageHeader extends Pick<LevelledPage, 'values' | 'unpackedBytes' | 'levelEncoding'> {
  /** Only of pages of the second version. */
  rows: number | undefined;
  packedBytes: number;
  /** Offset of the next page. */
  next: number;
  held: Held;
}

async function readHeader(file: FileHandle, at: number, before: Held): Promise<PageHeader | undefined> {
  let held = before;
  for (let length = READ_BYTES; length <= MOST_HEADER_BYTES; length *= 16) {
    const found = parseHeader(held, at);
    if (found !== undefined) return found;
    const buffer = Buffer.alloc(length);
    const { bytesRead } = await file.read(buffer, 0, length, at);
    held = { bytes: buffer.subarray(0, bytesRead), offset: at };
    if (bytesRead < length) break;
  }
  return parseHeader(held, at);
}

/** Undefined where the bytes that are held are no whole header. */
function parseHeader(held: Held, at: number): PageHeader | undefined {
  const from = at - held.offset;
  if (from < 0 || from >= held.bytes.length) return undefined;
  const { buffer, byteOffset, length } = held.bytes;
  const reader = { view: new DataView(buffer, byteOffset, length), offset: from };
  try {
    const header = deserializeTCompactProtocol(reader) as Record<string, unknown>;
    const { field_1: type, field_2: unpackedBytes, field_3: packedBytes } = header;
    if (typeof type !== 'number' || typeof packedBytes !== 'number' || packedBytes < 0) return undefined;
    const content = (type === DATA_PAGE ? header.field_5 : header.field_8) as
      | Record<string, unknown>
      | undefined;
    const values = type === DATA_PAGE || type === DATA_PAGE_V2 ? Number(content?.field_1) : 0;
    return {
      values,
      rows: type === DATA_PAGE_V2 ? Number(content?.field_3) : undefined,
      packedBytes,
      unpackedBytes: Number(unpackedBytes),
      levelEncoding: Number(content?.field_4),
      next: held.offset + reader.offset + packedBytes,
      held,
    };
  } catch {
    return undefined;
  }
}
