import { InvalidDatasetError } from '../core/errors.ts';
import type { DatasetFormat } from '../core/plan/part.ts';
import { appendTo } from './append-to.ts';

/** Endings of data that the `datasets` library reads and we do not. */
const FOREIGN_ENDING =
  /\.(?:arrow|txt|tar|zip|xml|pdf|jpe?g|png|gif|bmp|tiff?|webp|mp3|wav|flac|ogg|opus|m4a|aiff?|mp4|mov|mkv|webm|avi|npy|npz|h5|hdf5|pkl|bz2|xz|lz4|7z|rar|gz|zst)$/i;

/** Format of files that make up a split; or why they cannot be read as they are. */
export type FormatDecision =
  | { kind: 'tabular'; format: DatasetFormat; paths: string[] }
  | { kind: 'unreadable'; reason: string };

/** The format that a file's name says, or undefined where it is not one of ours. */
export function formatOfPath(path: string): DatasetFormat | undefined {
  const match = /\.(?:(parquet)|(?:(csv|tsv)|(?:jsonl|ndjson|json))(?:\.(?:gz|gzip|zst|zstd))?)$/i.exec(path);
  if (match === null) return undefined;
  if (match[1] !== undefined) return 'parquet';
  return match[2] === undefined ? 'jsonl' : 'csv';
}

/** True for `.json` files, which may hold one record a line, or one array, which nobody can tell by the name. */
export function isPlainJson(path: string): boolean {
  return /\.json(?:\.(?:gz|gzip|zst|zstd))?$/i.test(path);
}

/**
 * Decides a split's format. Files that are no data are left out. Throws InvalidDatasetError where there are two
 * formats of ours: which one is meant is not for us to say.
 */
export function decideFormat(paths: readonly string[], where: string): FormatDecision {
  const byFormat = new Map<DatasetFormat, string[]>();
  const foreign: string[] = [];
  for (const path of paths) {
    const format = formatOfPath(path);
    if (format !== undefined) appendTo(byFormat, format, path);
    else if (FOREIGN_ENDING.test(path)) foreign.push(path);
  }
  const formats = [...byFormat.entries()];
  const [only, other] = formats;
  const tabularCount = formats.reduce((sum, [, files]) => sum + files.length, 0);
  // As in a folder of pictures with one metadata.csv: the table alone is not the dataset.
  if (foreign.length > tabularCount || only === undefined) {
    const example = foreign[0] ?? paths[0];
    return {
      kind: 'unreadable',
      reason: `${where} is not in Parquet, CSV or JSONL files${example === undefined ? '' : ` but in files like ${example}`}`,
    };
  }
  if (other !== undefined) {
    throw new InvalidDatasetError(
      `${where} mixes formats: ${formats.map(([format, files]) => `${format} (${files[0]}${files.length > 1 ? ` and ${files.length - 1} more` : ''})`).join(', ')}. Download the files you mean and give them as s3_uri.`,
    );
  }
  return { kind: 'tabular', format: only[0], paths: only[1] };
}
