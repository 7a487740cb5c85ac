import { InvalidDatasetError } from '../../core/errors.ts';
import { privately } from '../../core/text/private-text.ts';
import type { ColumnChunk, ParquetFooter, SchemaNode } from './parquet-footer.ts';

/** Ways of packing pages that DuckDB unpacks. */
const KNOWN_CODECS = new Set(['UNCOMPRESSED', 'SNAPPY', 'GZIP', 'BROTLI', 'ZSTD', 'LZ4_RAW']);

/**
 * Throws InvalidDatasetError where a file contradicts itself in how many rows it has, since some readers would go by one of its
 * counts and some by another; and where it is written in a way that cannot be read.
 */
export function checkFooter(uri: string, footer: ParquetFooter): void {
  const lie = findCountLie(footer);
  if (lie !== undefined) {
    throw new InvalidDatasetError(
      `${uri} contradicts itself: its footer tells of ${lie}. Have it written again by what made it.`,
    );
  }
  const leaves = leavesOf(footer.columns);
  for (const { chunks } of footer.rowGroups) {
    for (const [index, chunk] of chunks.entries()) {
      const why = whyUnreadable(chunk, leaves[index]?.physical);
      if (why !== undefined) throw new InvalidDatasetError(`${uri}${why}`);
    }
  }
}

function whyUnreadable(
  { path, codec, encodings, isEncrypted, isElsewhere }: ColumnChunk,
  physical: string | undefined,
): string | undefined {
  const column = `the column ${privately(JSON.stringify(path.join('.')))}`;
  if (isEncrypted) return ` has ${column} encrypted. Write it without encryption.`;
  if (isElsewhere) return ` has the pages of ${column} in another file. Write it into one file.`;
  if (!KNOWN_CODECS.has(codec)) {
    const name = codec === 'LZ4' ? 'LZ4 as Hadoop has it' : codec;
    return ` has ${column} packed with ${name}, which Quarry does not read. Write it with zstd, snappy or LZ4_RAW.`;
  }
  if (encodings.includes('BYTE_STREAM_SPLIT') && physical !== 'FLOAT' && physical !== 'DOUBLE') {
    return ` has ${column} (${physical}) in the encoding BYTE_STREAM_SPLIT, which Quarry reads of FLOAT and DOUBLE only. Write it in another encoding.`;
  }
  return undefined;
}

/** A column with values of its own, and how many lists these are within: a row may have other than one of them. */
export interface Leaf {
  physical: string | undefined;
  depth: number;
}

/** In the order of a row group's chunks. */
export function leavesOf(nodes: readonly SchemaNode[], outerDepth = 0): Leaf[] {
  return nodes.flatMap(({ children, repetition, physical }) => {
    const depth = outerDepth + (repetition === 'REPEATED' ? 1 : 0);
    return children.length === 0 ? [{ physical, depth }] : leavesOf(children, depth);
  });
}

/** Which of a footer's counts of rows contradict each other: the file, its row groups and their columns have some each. */
function findCountLie({ rows, rowGroups, columns }: ParquetFooter): string | undefined {
  const counted = rowGroups.reduce((sum, group) => sum + group.rows, 0);
  if (rows !== counted) return `${rows} rows in the file, but ${counted} in its row groups`;
  const leaves = leavesOf(columns);
  for (const [index, group] of rowGroups.entries()) {
    if (group.chunks.length !== leaves.length) {
      return `${leaves.length} columns in the file, but ${group.chunks.length} in row group ${index}`;
    }
    // A list has more values than rows, or as many where all are empty. Of an encrypted column nothing is told.
    const chunk = group.chunks.find(
      ({ values, isEncrypted }, at) =>
        !isEncrypted && ((leaves[at]?.depth ?? 0) > 0 ? values < group.rows : values !== group.rows),
    );
    if (chunk !== undefined) {
      return `${group.rows} rows in row group ${index}, but ${chunk.values} values of its column ${privately(chunk.path.join('.'))}`;
    }
  }
  return undefined;
}
