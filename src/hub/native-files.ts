import { InvalidDatasetError } from '../core/errors.ts';
import { hiddenBelow } from '../core/passed-over.ts';
import { DATASET_INPUT } from '../core/run-input/dataset-input.ts';
import { decideFormat, formatOfPath } from './data-format.ts';
import type { CardConfig, CardCsv } from './dataset-card.ts';
import { isGlob, matchPattern } from './file-pattern.ts';
import {
  chooseConfig,
  chooseSplit,
  type FileSearch,
  type HubDatasetRequest,
  type HubFile,
} from './hub-dataset.ts';
import { filesBySplit, missingShards } from './split-naming.ts';

/** A dataset's repository at one commit. */
export interface HubRepository {
  commit: string;
  /** All of its files. */
  files: readonly HubFile[];
  /** What its card declares; empty = nothing. */
  configs: readonly CardConfig[];
}

/**
 * Finds the dataset's own files of a split: by the card's configs, else by the usual naming. Throws
 * InvalidRunInputError where there is no such config or split, and InvalidDatasetError where files are missing.
 */
export function findNativeFiles(request: HubDatasetRequest, repository: HubRepository): FileSearch {
  const { configs, commit } = repository;
  const paths = repository.files.map(({ path }) => path).sort();
  if (
    configs.length === 0 &&
    !filesBySplit(paths)
      .values()
      .some((files) => files.some(isTabular))
  ) {
    return { kind: 'unusable', reason: 'it has no Parquet, CSV or JSONL files of its own' };
  }
  const names = configs.length === 0 ? ['default'] : configs.map(({ name }) => name);
  const configName = chooseConfig(request, {
    names,
    defaultName: configs.find(({ isDefault }) => isDefault)?.name,
  });
  const config = configs.find(({ name }) => name === configName);

  const { parameters = [], csv = {} } = config ?? {};
  const unknown = [...parameters, ...unreadableOf(csv)];
  if (unknown.length > 0) {
    return {
      kind: 'unusable',
      reason: `its config "${configName}" sets ${unknown.join(', ')}, which only the datasets library can apply`,
    };
  }
  const bySplit =
    config === undefined ? { kind: 'found' as const, splits: filesBySplit(paths) } : splitsOf(config, paths);
  if (bySplit.kind === 'unusable') return bySplit;
  const { splits } = bySplit;
  if (!splits.values().some((files) => files.some(isTabular))) {
    return { kind: 'unusable', reason: `its config "${configName}" has no Parquet, CSV or JSONL files` };
  }
  const split = chooseSplit(request, { names: [...splits.keys()], configName });
  const named = splits.get(split) ?? [];
  if (config?.splits === undefined) refuseMissingShards(named, request.datasetId);
  const decision = decideFormat(named, `The split "${split}" of the dataset "${request.datasetId}"`);
  if (decision.kind === 'unreadable') return { kind: 'unusable', reason: decision.reason };
  const wanted = new Map(repository.files.map((file) => [file.path, file]));
  return {
    kind: 'found',
    origin: 'files',
    filesCommit: commit,
    configName,
    split,
    format: decision.format,
    csv: decision.format === 'csv' ? csv : {},
    files: decision.paths.flatMap((path) => wanted.get(path) ?? []),
    passedOver: paths
      .filter((path) => isTabular(path) && !named.includes(path))
      .flatMap((path) => hiddenBelow(path) ?? []),
  };
}

/** What a card says of CSV that no run input may say. */
function unreadableOf(csv: CardCsv): string[] {
  return Object.entries(csv).flatMap(([key, value]) => {
    const isTaken = DATASET_INPUT.fields[key as keyof CardCsv].safeParse(value).success;
    return isTaken ? [] : [`${CARD_NAMES[key as keyof CardCsv]} ${JSON.stringify(value)}`];
  });
}

/** The library's names. */
const CARD_NAMES = {
  csv_delimiter: 'sep',
  csv_quote: 'quotechar',
  csv_escape: 'escapechar',
  csv_skip: 'skiprows',
  csv_header: 'header',
  csv_encoding: 'encoding',
} as const;

type SplitSearch = { kind: 'found'; splits: Map<string, string[]> } | { kind: 'unusable'; reason: string };

function splitsOf({ name, splits, folder }: CardConfig, paths: readonly string[]): SplitSearch {
  const below = paths.filter((path) => path.startsWith(folder)).map((path) => path.slice(folder.length));
  const inRepository = (path: string) => folder + path;
  if (splits === undefined) {
    const bySplit = [...filesBySplit(below)].map(
      ([split, files]) => [split, files.map(inRepository)] as const,
    );
    return { kind: 'found', splits: new Map(bySplit) };
  }
  const found = new Map<string, string[]>();
  for (const { split, patterns } of splits) {
    const files = new Set<string>();
    for (const pattern of patterns) {
      if (/::|:\/\//.test(pattern)) {
        return { kind: 'unusable', reason: `its config "${name}" reads from elsewhere: ${pattern}` };
      }
      const matches = matchPattern(pattern, below);
      if (matches.length === 0 && !isGlob(pattern)) {
        return {
          kind: 'unusable',
          reason: `its config "${name}" names ${folder}${pattern}, which is not there`,
        };
      }
      for (const match of matches) files.add(folder + match);
    }
    if (files.size > 0) found.set(split, [...files]);
  }
  return { kind: 'found', splits: found };
}

function refuseMissingShards(paths: readonly string[], datasetId: string): void {
  const missing = missingShards(paths);
  const [first] = missing;
  if (first === undefined) return;
  throw new InvalidDatasetError(
    `The dataset "${datasetId}" lacks ${missing.length} of its ${first.count} files, the first of them number ${first.index}: its upload may not be complete. To use the files that are there, download them and give them as s3_uri.`,
  );
}

function isTabular(path: string): boolean {
  return formatOfPath(path) !== undefined;
}
