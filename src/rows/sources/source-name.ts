import type { DatasetFormat } from '../../core/part.ts';
import type { S3Uri } from '../../core/s3-uri.ts';

/** What a file's name says of its content. */
export interface SourceName {
  format: DatasetFormat;
  compression: 'none' | 'gzip' | 'zstd';
  /** Of CSV files. */
  delimiter: ',' | '\t';
}

/** The endings that a dataset's files may have, for messages. */
export const KNOWN_ENDINGS = '.csv, .tsv, .jsonl, .ndjson (each also with .gz or .zst) or .parquet';

/** Reads a file's name, or undefined where its ending is none of ours. */
export function parseSourceName(uri: S3Uri): SourceName | undefined {
  const match = /\.(csv|tsv|jsonl|ndjson|parquet)(?:\.(gz|gzip|zst|zstd))?$/i.exec(uri);
  const ending = match?.[1]?.toLowerCase();
  const packed = match?.[2]?.toLowerCase();
  if (ending === undefined || (ending === 'parquet' && packed !== undefined)) return undefined;
  return {
    format: ending === 'parquet' ? 'parquet' : ending === 'csv' || ending === 'tsv' ? 'csv' : 'jsonl',
    compression: packed === undefined ? 'none' : packed.startsWith('gz') ? 'gzip' : 'zstd',
    delimiter: ending === 'tsv' ? '\t' : ',',
  };
}
