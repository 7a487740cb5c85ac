import { InvalidRunInputError } from '../core/errors.ts';
import type { DatasetFormat } from '../core/plan/part.ts';
import { nearest } from '../core/text/nearest.ts';
import type { CardCsv } from './dataset-card.ts';

/** What a run input says of a Hugging Face dataset. */
export interface HubDatasetRequest {
  /** `owner/name`. */
  datasetId: string;
  /** @default train */
  split: string | undefined;
  /** @default the only config there is, or the one that the dataset names as its default */
  configName: string | undefined;
  /** Branch, tag or commit. @default main */
  revision: string | undefined;
}

/** One file of a dataset's repository. */
export interface HubFile {
  path: string;
  bytes: number;
  /** Hash of the content: SHA-256 (64 hex digits) of large files, git's blob id (40 hex digits) of small ones. */
  etag: string;
}

/** The files that make up one split of one config, at one commit. Serialisable. */
export interface HubDataset {
  /** As the Hub spells it today, even where it was asked for by an older name. */
  datasetId: string;
  /** Commit that the revision stands for. */
  commit: string;
  /** Commit that the files are in: `commit`, or the one of the Parquet conversion that was made from it. */
  filesCommit: string;
  configName: string;
  split: string;
  /** The dataset's own files, or the Hub's Parquet conversion of them. */
  origin: 'files' | 'parquet_conversion';
  format: DatasetFormat;
  /** How its card says that CSV is written. */
  csv: CardCsv;
  /** In the order of the dataset's rows. */
  files: HubFile[];
  /** Tables of the repository that are no data by their names; what `hiddenBelow` gives of each. */
  passedOver: string[];
}

/** Files that were found for a request; or why there are none that can be read. */
export type FileSearch =
  | ({ kind: 'found' } & Pick<
      HubDataset,
      'configName' | 'split' | 'origin' | 'format' | 'csv' | 'files' | 'filesCommit' | 'passedOver'
    >)
  | { kind: 'unusable'; reason: string };

/** Picks a config: the one asked for, else the default, else the only one. Throws InvalidRunInputError with all. */
export function chooseConfig(
  { datasetId, configName }: HubDatasetRequest,
  { names, defaultName }: { names: readonly string[]; defaultName: string | undefined },
): string {
  const asked = configName ?? defaultName ?? (names.length === 1 ? names[0] : undefined);
  if (asked !== undefined && names.includes(asked)) return asked;
  const list = names.join(', ');
  if (configName === undefined) {
    throw new InvalidRunInputError(
      `The dataset "${datasetId}" has several configs and no default: give config_name. It is one of: ${list}.`,
    );
  }
  throw new InvalidRunInputError(
    `The dataset "${datasetId}" has no config "${configName}"${hint(configName, names)}. Its configs: ${list}.`,
  );
}

/** Picks a split. Throws InvalidRunInputError with all there are. */
export function chooseSplit(
  { datasetId, split = 'train' }: HubDatasetRequest,
  { names, configName }: { names: readonly string[]; configName: string },
): string {
  if (names.includes(split)) return split;
  const whole = /[[+]/.test(split) ? ' A split is taken whole; max_records takes its first rows.' : '';
  throw new InvalidRunInputError(
    `The config "${configName}" of the dataset "${datasetId}" has no split "${split}"${hint(split, names)}. Its splits: ${names.join(', ')}.${whole}`,
  );
}

function hint(asked: string, names: readonly string[]): string {
  const likely = nearest(asked, names);
  return likely === undefined ? '' : ` (did you mean "${likely}"?)`;
}
