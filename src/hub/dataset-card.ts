import { parse } from 'yaml';
import { z } from 'zod';
import { InvalidDatasetError } from '../core/errors.ts';

const Paths = z.union([z.string(), z.array(z.string())]).transform((paths) => [paths].flat());

/** What a split of a card's config reads. */
export interface CardSplit {
  split: string;
  patterns: string[];
}

const DataFiles = z.union([
  Paths.transform((patterns): CardSplit[] => [{ split: 'train', patterns }]),
  z.array(
    z
      .object({ split: z.coerce.string(), path: Paths })
      .transform(({ split, path }): CardSplit => ({ split, patterns: path })),
  ),
  z
    .record(z.string(), Paths)
    .transform((bySplit) =>
      Object.entries(bySplit).map(([split, patterns]): CardSplit => ({ split, patterns })),
    ),
]);

/**
 * What a config says of CSV files that our reader can be told, in the words of a run input.
 * https://huggingface.co/docs/datasets/package_reference/loading_methods#datasets.packaged_modules.csv.CsvConfig
 */
export interface CardCsv {
  csv_delimiter?: string;
  csv_quote?: string;
  csv_escape?: string;
  csv_skip?: number;
  csv_header?: boolean;
  csv_encoding?: string;
}

/** The settings of the library that `CardCsv` has; null is none. */
const CSV_KEYS = new Set(['sep', 'delimiter', 'quotechar', 'escapechar', 'encoding']);
/**
 * Settings that are so without being given, and mean nothing then. A `comment` ends lines within a record, too, which is not
 * what `csv_comment` does.
 * https://pandas.pydata.org/docs/reference/api/pandas.read_csv.html
 */
const DEFAULTS: Readonly<Record<string, readonly unknown[]>> = {
  header: ['infer', 0],
  skiprows: [null, 0],
  names: [null],
  column_names: [null],
  comment: [null],
};

/** Keys of a config that do not change how its files are read. */
const PLAIN_KEYS = new Set([
  'config_name',
  'data_files',
  'data_dir',
  'default',
  'description',
  'features',
  'version',
  'drop_labels',
]);

const CardConfig = z
  .looseObject({
    config_name: z.coerce.string().default('default'),
    data_files: DataFiles.optional(),
    data_dir: z.string().optional(),
    default: z.boolean().optional(),
    sep: z.string().nullish(),
    delimiter: z.string().nullish(),
    quotechar: z.string().nullish(),
    escapechar: z.string().nullish(),
    encoding: z.string().nullish(),
  })
  .transform((config) => ({
    name: config.config_name,
    isDefault: config.default === true || config.config_name === 'default',
    /** Undefined = by the usual naming, below `folder`. */
    splits: config.data_files,
    /** Of the patterns, with a slash at its end; empty = the repository's root. */
    folder: toFolder(config.data_dir ?? ''),
    csv: csvOf(config),
    /** Names of the settings with which only the `datasets` library could read the files. */
    parameters: Object.entries(config).flatMap(([key, value]) => (isTaken(key, value) ? [] : [key])),
  }));

/** One subset that a dataset card declares. */
export type CardConfig = z.infer<typeof CardConfig>;

const Card = z.looseObject({
  configs: z.union([z.array(CardConfig), CardConfig.transform((config) => [config])]).nullish(),
});

/**
 * The configs in the YAML block at the top of a dataset's README.md; none where it has none. Throws
 * InvalidDatasetError where the block cannot be read: to pass over it could mean other files.
 * https://huggingface.co/docs/hub/datasets-manual-configuration
 */
export function parseCardConfigs(readme: string, datasetId: string): CardConfig[] {
  const block = /^\uFEFF?---[ \t]*\r?\n(?:([\s\S]*?)\r?\n)?---[ \t]*(?:\r?\n|$)/.exec(readme)?.[1];
  if (block === undefined) return [];
  try {
    // YAML 1.1, as the Hub's own reader.
    const { configs } = Card.parse(parse(block, { version: '1.1', logLevel: 'error' }) ?? {});
    return configs ?? [];
  } catch (error) {
    const detail =
      error instanceof z.ZodError
        ? 'each has a config_name, and data_files (a path, paths, or a list of split and path) or a data_dir'
        : String(error);
    throw new InvalidDatasetError(
      `The configs in the README.md of the dataset "${datasetId}" cannot be read, so its files are not known: ${detail}.`,
      { cause: error },
    );
  }
}

/** True where a setting changes nothing, or `CardCsv` has it. */
function isTaken(key: string, value: unknown): boolean {
  if (PLAIN_KEYS.has(key) || CSV_KEYS.has(key) || DEFAULTS[key]?.includes(value)) return true;
  return (key === 'skiprows' && typeof value === 'number') || (key === 'header' && value === null);
}

interface CsvSettings {
  sep?: string | null | undefined;
  delimiter?: string | null | undefined;
  quotechar?: string | null | undefined;
  escapechar?: string | null | undefined;
  encoding?: string | null | undefined;
  [key: string]: unknown;
}

function csvOf(config: CsvSettings): CardCsv {
  const delimiter = config.delimiter ?? config.sep;
  const { quotechar, escapechar, encoding, skiprows, header } = config;
  return {
    // A tab as a run input has it.
    ...(delimiter == null ? {} : { csv_delimiter: /^(?:\t|\\t)$/.test(delimiter) ? 'tab' : delimiter }),
    ...(quotechar == null ? {} : { csv_quote: quotechar }),
    ...(escapechar == null ? {} : { csv_escape: escapechar }),
    ...(typeof skiprows === 'number' && skiprows !== 0 ? { csv_skip: skiprows } : {}),
    ...(header === null ? { csv_header: false } : {}),
    ...(encoding == null ? {} : { csv_encoding: encoding }),
  };
}

function toFolder(path: string): string {
  const trimmed = path.replace(/^(?:\.?\/)+/, '').replace(/\/+$/, '');
  return trimmed === '' || trimmed === '.' ? '' : `${trimmed}/`;
}
