import type { DatasetFormat } from '../../core/plan/part.ts';
import type { GivenFormat } from '../../core/run-input/dataset-input.ts';
import type { S3Uri } from '../../core/s3-uri.ts';
import type { Compression } from '../bytes/unpacked-bytes.ts';

/** What a file's name says of its content, or the run input in its place. */
export interface SourceName {
  format: DatasetFormat;
  /** Of CSV files: what the name says of it; undefined where the file itself tells. */
  delimiter?: '\t';
  /** True for JSON that may be one list of all records. */
  mayBeList?: true;
}

/** The endings that a dataset's files may have, for messages. */
export const KNOWN_ENDINGS =
  '.csv, .tsv, .jsonl, .ndjson, .json (each also with .gz or .zst) or .parquet; for files with other names, give format (--format csv)';

const FORMATS: Readonly<Record<string, SourceName>> = {
  csv: { format: 'csv' },
  tsv: { format: 'csv', delimiter: '\t' },
  jsonl: { format: 'jsonl' },
  ndjson: { format: 'jsonl' },
  json: { format: 'jsonl', mayBeList: true },
  parquet: { format: 'parquet' },
};

/** Reads a file's name, or undefined where its ending is not one of ours and nobody says what the file is. */
export function parseSourceName(uri: S3Uri, given?: GivenFormat): SourceName | undefined {
  if (given !== undefined) return FORMATS[given];
  const ending = /\.(csv|tsv|jsonl|ndjson|json|parquet)$/i.exec(withoutPacking(uri))?.[1]?.toLowerCase();
  const name = ending === undefined ? undefined : FORMATS[ending];
  return name?.format === 'parquet' && compressionOf(uri) !== 'none' ? undefined : name;
}

/** How a file is packed, by its name. */
export function compressionOf(uri: S3Uri): Compression {
  const ending = PACKING.exec(uri)?.[1]?.toLowerCase();
  return ending === undefined ? 'none' : ending.startsWith('gz') ? 'gzip' : 'zstd';
}

const PACKING = /\.(gz|gzip|zst|zstd)$/i;

function withoutPacking(uri: string): string {
  return uri.replace(PACKING, '');
}
