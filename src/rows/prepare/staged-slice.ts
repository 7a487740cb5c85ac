import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit, { type LimitFunction } from 'p-limit';
import { givenName } from '../../core/plan/names-apart.ts';
import type { RowRange } from '../../core/plan/packing.ts';
import type { Dataset, Slice } from '../../core/plan/part.ts';
import type { S3Uri } from '../../core/s3-uri.ts';
import type { SourceFile } from '../bytes/source-bytes.ts';
import { openDuckDb, sqlName } from '../duckdb/duckdb.ts';
import { copyToParquet, type ParquetRange, parquetRangeSql, WORKING_ROW_GROUPS } from '../duckdb/parquet.ts';
import { namesToRead } from '../parquet/column-renaming.ts';
import { createRowBringer } from '../parquet/page-counts.ts';
import { LARGE_ROW_GROUP_BYTES, type ParquetLayout, readParquetLayout } from '../parquet/parquet-layout.ts';
import { readingRows } from '../sources/damaged-source.ts';
import { compressionOf } from '../sources/source-name.ts';
import { type PrepareMemory, prepareMemoryFor } from './prepare-memory.ts';

/** How much larger packed values are guessed to be in memory. */
const PACKED_FACTOR = 3;
/** How much larger they may be. */
const MOST_PACKED = 100;
/** Most bytes of rows to copy from Parquet files at once, lest the disk of a Lambda be full. */
export const MOST_COPIED_BYTES = 2_000_000_000;
/** Ranges that are read at once where their row groups are small. */
const READS_AT_ONCE = 2;

/** Which rows are to be readable from the middle. */
export interface StageRequest {
  slice: Slice;
  dataset: Dataset;
  /** The local file of a dataset file. */
  fileOf: (uri: S3Uri) => SourceFile;
  scratchDirectory: string;
}

/** Rows of a Parquet file, and the global number of the first. */
export interface StagedRange extends RowRange {
  /** What it is, for messages. */
  name: string;
  file: Pick<SourceFile, 'path' | 'fetchRows' | 'drift'> & Pick<ParquetRange, 'names'>;
  firstInFile: number;
  /** Bytes of the file where the range has all of a small one. */
  wholeBytes?: number | undefined;
}

/** A slice's rows as Parquet, for as long as it is not disposed of. */
export interface StagedSlice extends AsyncDisposable {
  ranges: StagedRange[];
  /** Reads no more ranges at once than there is memory for. */
  limit: LimitFunction;
  memory: PrepareMemory;
}

/** A slice of Parquet files, by these themselves, or by copies of files of which each part would unpack nearly everything. */
export async function stageSlice(request: StageRequest): Promise<StagedSlice> {
  const { slice, dataset, fileOf, scratchDirectory } = request;
  const columns = dataset.columns.map(({ name }) => name);
  const files = new Map(dataset.files.map((file) => [file.uri, file]));
  await using held = new AsyncDisposableStack();
  for (const { uri } of slice.reads) held.use(await fileOf(uri).hold?.());
  const layouts = await readLayouts(request, files);
  const memory = prepareMemoryFor(layouts.reduce((most, layout) => Math.max(most, layout?.rowBytes ?? 0), 0));
  // Of its own, as it gives its memory back when it is done. One thread: two would hold twice the memory.
  await using db = await openDuckDb({ memoryMb: memory.memoryMb, threads: 1, scratchDirectory });
  const bringRows = createRowBringer();
  const ranges: StagedRange[] = [];
  const copies: string[] = [];
  let readsAtOnce = READS_AT_ONCE;
  let copiedBytes = 0;
  const removeCopies = async () => {
    await Promise.all(copies.map((path) => rm(path, { force: true })));
  };
  try {
    for (const [index, read] of slice.reads.entries()) {
      const { uri, first_row_in_file: firstInFile, rows, first_row: firstRow } = read;
      const planned = files.get(uri);
      const source = { ...fileOf(uri), drift: planned?.drift ?? [] };
      const file = { ...source, names: await namesToRead(source.path, columns) };
      const { hasLargePages = false, largestRowGroupBytes = 0, rowBytes = 0 } = layouts[index] ?? {};
      const bytes = rowBytes * rows;
      if (hasLargePages && memory.rowsAtOnce === undefined && copiedBytes + bytes <= MOST_COPIED_BYTES) {
        copiedBytes += bytes;
        const path = join(scratchDirectory, `staged-${copies.length}.parquet`);
        copies.push(path);
        await bringRows({ ...file, name: uri }, columns.map(givenName), { firstRow: firstInFile, rows });
        const { path: filePath, drift, names } = file;
        const from = parquetRangeSql({ path: filePath, firstRow: firstInFile, rows, drift, names });
        const copied = await readingRows(db, { name: uri }, () =>
          copyToParquet(db, {
            sql: `SELECT ${columns.map(sqlName).join(', ')} FROM ${from}`,
            path,
            compression: 'uncompressed',
            bytesPerRow: estimateBytesPerRow(dataset),
            rowGroups: WORKING_ROW_GROUPS,
          }),
        );
        ranges.push({ name: uri, file: { path }, firstInFile: 0, rows: copied, firstRow });
      } else {
        if (largestRowGroupBytes > LARGE_ROW_GROUP_BYTES) readsAtOnce = 1;
        const isWhole = layouts[index] === undefined && rows === planned?.rows;
        const wholeBytes = isWhole ? planned.bytes : undefined;
        ranges.push({ name: uri, file, firstInFile, rows, firstRow, wholeBytes });
      }
    }
  } catch (error) {
    await removeCopies();
    throw error;
  }
  held.defer(removeCopies);
  const kept = held.move();
  return {
    ranges,
    limit: pLimit(Math.min(readsAtOnce, memory.partsAtOnce)),
    memory,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

type FileLayout = (ParquetLayout & { rowBytes: number }) | undefined;

/** The layouts of the files that are read, and the bytes of their rows, unpacked; of a small file there is nothing to know. */
async function readLayouts(
  { slice, fileOf }: StageRequest,
  files: ReadonlyMap<S3Uri, Dataset['files'][number]>,
): Promise<FileLayout[]> {
  const layouts: FileLayout[] = [];
  for (const { uri } of slice.reads) {
    const file = files.get(uri);
    if (file === undefined || file.bytes * MOST_PACKED <= LARGE_ROW_GROUP_BYTES) {
      layouts.push(undefined);
      continue;
    }
    const layout = await readParquetLayout(fileOf(uri).path);
    layouts.push({ ...layout, rowBytes: layout.bytes / Math.max(1, file.rows) });
  }
  return layouts;
}

/** Bytes of a row in memory, guessed from the files' sizes. */
export function estimateBytesPerRow({ format, files, rows }: Dataset): number {
  const bytes = files.reduce((sum, file) => {
    const isPacked = format === 'parquet' || compressionOf(file.uri) !== 'none';
    return sum + file.bytes * (isPacked ? PACKED_FACTOR : 1);
  }, 0);
  return bytes / Math.max(1, rows);
}
