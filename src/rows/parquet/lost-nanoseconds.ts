import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { asyncBufferFromFile, parquetMetadataAsync, parquetRead } from 'hyparquet';
import { parquetSchema } from 'hyparquet/src/metadata.js';

/** What is read: one top-level column of a Parquet file, by its place. */
export interface NanosecondColumn {
  path: string;
  place: number;
}

/** A value that has more than microseconds, and its row, from 0. */
export interface LostNanoseconds {
  row: number;
  /** Since 1970. */
  nanoseconds: bigint;
}

class Nanoseconds {
  readonly value: bigint;
  constructor(value: bigint) {
    this.value = value;
  }
}

const COMPRESSORS = {
  GZIP: (bytes: Uint8Array) => new Uint8Array(gunzipSync(bytes)),
  BROTLI: (bytes: Uint8Array) => new Uint8Array(brotliDecompressSync(bytes)),
  ZSTD: (bytes: Uint8Array) => new Uint8Array(zstdDecompressSync(bytes)),
};

/**
 * The first timestamp of a column that DuckDB would cut to microseconds; undefined where it would cut none. Rejects where the
 * column's pages cannot be read.
 */
export async function findLostNanoseconds({
  path,
  place,
}: NanosecondColumn): Promise<LostNanoseconds | undefined> {
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file, { geoparquet: false });
  const name = parquetSchema(metadata).children[place]?.element.name ?? '';
  let rowStart = 0;
  // A row group at once, as that is what is read.
  for (const { num_rows } of metadata.row_groups) {
    const rowEnd = rowStart + Number(num_rows);
    let rows: Record<string, unknown>[] = [];
    await parquetRead({
      file,
      metadata,
      columns: [name],
      rowStart,
      rowEnd,
      rowFormat: 'object',
      utf8: false,
      useOffsetIndex: false,
      compressors: COMPRESSORS,
      parsers: {
        timestampFromNanoseconds: (value: bigint) => new Nanoseconds(value),
      } as never,
      onComplete: (read: Record<string, unknown>[]) => {
        rows = read;
      },
    });
    for (const [index, row] of rows.entries()) {
      const nanoseconds = findIn(row[name]);
      if (nanoseconds !== undefined) return { row: rowStart + index, nanoseconds };
    }
    rowStart = rowEnd;
  }
  return undefined;
}

function findIn(value: unknown): bigint | undefined {
  if (value instanceof Nanoseconds) return value.value % 1000n === 0n ? undefined : value.value;
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return undefined;
  for (const inner of Object.values(value)) {
    const found = findIn(inner);
    if (found !== undefined) return found;
  }
  return undefined;
}
