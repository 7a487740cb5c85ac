import { z } from 'zod';
import { appendTo } from './append-to.ts';
import type { HubClient } from './hub-client.ts';
import {
  chooseConfig,
  chooseSplit,
  type FileSearch,
  type HubDatasetRequest,
  type HubFile,
} from './hub-dataset.ts';
import { listRepositoryFiles } from './repository-files.ts';

/** What the Hub lists as branches of a dataset. https://huggingface.co/docs/hub/api */
const Refs = z.looseObject({
  converts: z.array(z.looseObject({ name: z.string(), targetCommit: z.string() })).default([]),
});

/** What the dataset viewer says of one config's conversion. https://huggingface.co/docs/dataset-viewer/parquet */
const ViewerParquet = z.looseObject({
  parquet_files: z.array(z.looseObject({ split: z.string(), size: z.int().min(0) })),
  partial: z.boolean(),
});

const PARTIAL =
  "the Hub's Parquet conversion of it is partial: it holds only the first rows, up to about 5 GB, not the whole split";

/** What is looked for, and where. */
export interface ConversionSearch {
  client: HubClient;
  /** Commit that the conversion must have been made from. */
  commit: string;
  /** Config that the dataset's card names as its default. */
  defaultName: string | undefined;
}

/**
 * Finds a split in the Hub's Parquet conversion, and makes sure that it is whole and was made from `commit`. Throws
 * InvalidRunInputError where the conversion has no such config or split.
 */
export async function findConvertedFiles(
  request: HubDatasetRequest,
  { client, commit, defaultName }: ConversionSearch,
): Promise<FileSearch> {
  const { datasetId } = request;
  const refs = await client.fetch(`${client.endpoint}/api/datasets/${datasetId}/refs`);
  const filesCommit = Refs.parse(await refs.json()).converts.find(
    ({ name }) => name === 'parquet',
  )?.targetCommit;
  if (filesCommit === undefined) {
    return { kind: 'unusable', reason: 'the Hub has made no Parquet conversion of it' };
  }
  const configs = groupConversion(await listRepositoryFiles({ client, datasetId, commit: filesCommit }));
  const names = [...configs.keys()];
  if (names.length === 0) return { kind: 'unusable', reason: "the Hub's Parquet conversion of it is empty" };
  const configName = chooseConfig(request, {
    names,
    defaultName: [defaultName, 'default'].find((name) => name !== undefined && names.includes(name)),
  });
  const splits = configs.get(configName) ?? new Map<string, ConvertedFile[]>();
  const split = chooseSplit(request, { names: [...splits.keys()], configName });
  const files = splits.get(split) ?? [];
  const fault = files.some(({ isPartial }) => isPartial)
    ? PARTIAL
    : await findFault(files, { client, commit, query: { dataset: datasetId, config: configName }, split });
  if (fault !== undefined) return { kind: 'unusable', reason: fault };
  return {
    kind: 'found',
    origin: 'parquet_conversion',
    filesCommit,
    configName,
    split,
    format: 'parquet',
    csv: {},
    files: files.map(({ path, bytes, etag }) => ({ path, bytes, etag })),
    passedOver: [],
  };
}

/**
 * `config/split/0000.parquet`; `partial-split` where only the first 5 GB were converted; `split-part1` after 10,000
 * files. No split has a "-" in its name. https://huggingface.co/docs/dataset-viewer/parquet#partially-converted-datasets
 */
const CONVERTED =
  /^(?<config>[^/]+)\/(?<partial>partial-)?(?<split>[^/]+?)(?:-part(?<part>\d+))?\/(?<index>\d{4,})\.parquet$/;

/** A file of the conversion, and where its name says that it belongs. */
interface ConvertedFile extends HubFile {
  isPartial: boolean;
  /** Number of its folder, and of itself in there. */
  position: readonly [number, number];
}

/** The conversion's files in the order of their rows, by config and split. */
function groupConversion(files: readonly HubFile[]): Map<string, Map<string, ConvertedFile[]>> {
  const configs = new Map<string, Map<string, ConvertedFile[]>>();
  for (const file of files) {
    const { config, split, partial, part, index } = CONVERTED.exec(file.path)?.groups ?? {};
    if (config === undefined || split === undefined) continue;
    const splits = configs.get(config) ?? new Map<string, ConvertedFile[]>();
    configs.set(config, splits);
    const position = [Number(part ?? 0), Number(index)] as const;
    appendTo(splits, split, { ...file, isPartial: partial !== undefined, position });
  }
  for (const split of configs.values().flatMap((splits) => splits.values())) {
    split.sort((a, b) => a.position[0] - b.position[0] || a.position[1] - b.position[1]);
  }
  return configs;
}

/** What is wrong with a conversion whose names say that it is whole; undefined = nothing. */
async function findFault(
  files: readonly HubFile[],
  {
    client,
    commit,
    query,
    split,
  }: { client: HubClient; commit: string; query: Record<string, string>; split: string },
): Promise<string | undefined> {
  const { viewerEndpoint } = client.access;
  if (viewerEndpoint === undefined) {
    return "there is no dataset viewer beside HF_ENDPOINT to say whether the Hub's Parquet conversion of it is whole";
  }
  const response = await client.fetch(`${viewerEndpoint}/parquet?${new URLSearchParams(query)}`);
  if (!response.ok) {
    return `the dataset viewer has no finished Parquet conversion of it (${response.headers.get('x-error-code')}); if it is still in progress, try again later`;
  }
  const madeFrom = response.headers.get('x-revision');
  if (madeFrom !== commit) {
    return `the Hub's Parquet conversion was made from ${madeFrom === null || madeFrom === '' ? 'an unknown commit' : `commit ${madeFrom}`}, not from this one`;
  }
  const viewer = ViewerParquet.parse(await response.json());
  if (viewer.partial) return PARTIAL;
  const expected = viewer.parquet_files.filter((file) => file.split === split);
  const isSame = sizesOf(expected.map(({ size }) => size)) === sizesOf(files.map(({ bytes }) => bytes));
  return isSame
    ? undefined
    : `the Hub's Parquet conversion holds ${files.length} files of it and the dataset viewer tells of ${expected.length}, or they differ in size: it is being made again, try again later`;
}

function sizesOf(bytes: readonly number[]): string {
  return bytes.toSorted((a, b) => a - b).join();
}
