import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { snappyUncompress } from 'hyparquet';
import { readRleBitPackedHybrid } from 'hyparquet/src/encoding.js';

/** A data page of the first version of the format: its levels are packed with its values. */
export interface LevelledPage {
  codec: string;
  unpackedBytes: number;
  /** Values and places without one, as its header tells of them. */
  values: number;
  /** How its levels are written; of https://github.com/apache/parquet-format/blob/master/Encodings.md */
  levelEncoding: number;
  /** How many lists its values may be within. */
  depth: number;
}

/** Of `Encoding`: runs, and bits of which nobody writes any more. */
const RLE = 3;
/** Of a page; no writer makes larger ones, and a header may say anything. */
const MOST_VALUES = 100_000_000;

/**
 * How many rows a page of lists begins: each begins where a value is within no list that was begun before. Undefined where it
 * cannot be read, which is for DuckDB to say.
 */
export function countListRows(packed: Buffer, page: LevelledPage): number | undefined {
  const { values, levelEncoding, depth } = page;
  if (levelEncoding !== RLE || values > MOST_VALUES) return undefined;
  try {
    const bytes = unpack(packed, page);
    const levels = new Uint8Array(values);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    readRleBitPackedHybrid({ view, offset: 0 }, Math.ceil(Math.log2(depth + 1)), levels);
    return levels.reduce((rows, level) => rows + (level === 0 ? 1 : 0), 0);
  } catch {
    return undefined;
  }
}

function unpack(packed: Buffer, { codec, unpackedBytes }: LevelledPage): Buffer {
  const limits = { maxOutputLength: unpackedBytes };
  switch (codec) {
    case 'GZIP':
      return gunzipSync(packed, limits);
    case 'ZSTD':
      return zstdDecompressSync(packed, limits);
    case 'BROTLI':
      return brotliDecompressSync(packed, limits);
    case 'SNAPPY': {
      const unpacked = Buffer.alloc(unpackedBytes);
      snappyUncompress(packed, unpacked);
      return unpacked;
    }
    case 'LZ4_RAW':
      return unpackLz4(packed, unpackedBytes);
    default:
      return packed;
  }
}

/** Bits of a token's half that say that more bytes of a length follow. */
const MORE = 15;
const SHORTEST_MATCH = 4;

/** One block of LZ4. https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md */
function unpackLz4(packed: Buffer, unpackedBytes: number): Buffer {
  const unpacked = Buffer.alloc(unpackedBytes);
  let [from, to] = [0, 0];
  const lengthOf = (half: number): number => {
    let length = half;
    for (let byte = half === MORE ? 255 : 0; byte === 255; length += byte) byte = packed.readUInt8(from++);
    return length;
  };
  while (from < packed.length) {
    const token = packed.readUInt8(from++);
    const literals = lengthOf(token >> 4);
    to += packed.copy(unpacked, to, from, from + literals);
    from += literals;
    // The last sequence has no match.
    if (from >= packed.length) break;
    const distance = packed.readUInt16LE(from);
    from += 2;
    const end = to + lengthOf(token & MORE) + SHORTEST_MATCH;
    // A match may go on into what it writes itself.
    for (; to < end; to++) unpacked.writeUInt8(unpacked.readUInt8(to - distance), to);
  }
  return unpacked;
}
