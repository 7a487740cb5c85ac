import { join } from 'node:path';
import pLimit from 'p-limit';
import { InvalidDatasetError, NotSupportedError } from '../../core/errors.ts';
import { createPassedOver, hiddenBelow } from '../../core/passed-over.ts';
import type { HubSource, RunPlan } from '../../core/plan/run-plan.ts';
import type { GivenFormat } from '../../core/run-input/dataset-input.ts';
import type { RunInput } from '../../core/run-input/run-input.ts';
import { parseS3Uri, type S3Uri, toS3Uri } from '../../core/s3-uri.ts';
import { type KeyPattern, parseKeyPattern } from '../../core/text/key-pattern.ts';
import type { CardCsv } from '../../hub/dataset-card.ts';
import { downloadHubFiles, hasHubFiles } from '../../hub/download-dataset.ts';
import type { HubAccess } from '../../hub/hub-access.ts';
import type { HubDataset } from '../../hub/hub-dataset.ts';
import { createHubFileReader } from '../../hub/hub-file-reader.ts';
import { resolveHubDataset } from '../../hub/resolve-dataset.ts';
import { openHeldFiles, wholeObjects } from '../../rows/bytes/held-files.ts';
import { openSparseParquet } from '../../rows/parquet/sparse-parquet.ts';
import type { LocalDatasetFile } from '../../rows/sources/describe-dataset.ts';
import { parseSourceName } from '../../rows/sources/source-name.ts';
import { hubDatasetsUri } from '../../runs/run-layout.ts';
import type { ObjectInfo, ObjectStore } from '../../store/object-store.ts';
import type { PlanDeps } from '../deps.ts';
import type { IdentitySource } from './run-identity.ts';

/** Where a dataset's rows are. */
export interface DatasetSource {
  files: ObjectInfo[];
  /** Where the files come from, if that is the Hugging Face Hub. */
  hub: HubSource | null;
  /** How CSV is written, where the run input does not say it. */
  csv: CardCsv;
  /** What is to be told of what lies beside the files. */
  notes: string[];
  /** What reads the files where they are not in the store: Parquet files of the Hub, of a plan that is only drafted. */
  reader?: Pick<ObjectStore, 'readStream'> | undefined;
}

/** The dataset's objects in the store; those of a Hugging Face dataset are downloaded into it. */
export async function openDatasetSource(input: RunInput, deps: PlanDeps): Promise<DatasetSource> {
  if (input.dataset_id === undefined) {
    const { objects, notes } = await listDatasetObjects(input.s3_uri as S3Uri, deps.store);
    return { files: await identify(objects, deps.store), hub: null, csv: {}, notes };
  }
  const { store, settings, scratchDirectory, onProgress, signal } = deps;
  const hub = hubAccessOf(input.dataset_id, deps);
  const dataset = await resolve(input, input.dataset_id, hub);
  const place = { store, prefixUri: hubDatasetsUri(settings.bucket) };
  const found = { hub: hubSourceOf(dataset), csv: dataset.csv, notes: notesOf(dataset, input) };
  const isReadInPlace = deps.isDraft === true && dataset.format === 'parquet';
  if (isReadInPlace && !(await hasHubFiles(dataset, place))) {
    const reader = createHubFileReader(dataset, hub, { ...place, signal });
    return { ...found, files: reader.files, reader };
  }
  const files = await downloadHubFiles(dataset, hub, {
    ...place,
    scratchDirectory: join(scratchDirectory, 'hub'),
    ...(onProgress === undefined
      ? {}
      : { onProgress: (progress) => onProgress({ kind: 'downloaded', ...progress }) }),
    ...(signal === undefined ? {} : { signal }),
  });
  return { ...found, files: await identify(files, store) };
}

/** What the dataset is, as a run's identity has it; nothing is downloaded. */
export async function identifyDataset(input: RunInput, deps: PlanDeps): Promise<IdentitySource['source']> {
  const { dataset_id: datasetId } = input;
  if (datasetId === undefined) return (await openDatasetSource(input, deps)).files;
  return hubSourceOf(await resolve(input, datasetId, hubAccessOf(datasetId, deps)));
}

function hubAccessOf(datasetId: string, { hub, onProgress, signal }: PlanDeps): HubAccess {
  if (hub === undefined) {
    throw new NotSupportedError(
      `dataset_id "${datasetId}": this place has no access to the Hugging Face Hub. Download the dataset's files and give them as s3_uri.`,
    );
  }
  return {
    ...hub,
    onWait: (message) => onProgress?.({ kind: 'notice', message }),
    ...(signal === undefined ? {} : { signal }),
  };
}

function resolve(
  { split, config_name: configName, revision }: RunInput,
  datasetId: string,
  hub: HubAccess,
): Promise<HubDataset> {
  return resolveHubDataset({ datasetId, split, configName, revision }, hub);
}

function hubSourceOf({ datasetId, configName, split, commit, filesCommit, origin }: HubDataset): HubSource {
  return {
    dataset_id: datasetId,
    config_name: configName,
    split,
    commit,
    files_commit: filesCommit,
    origin,
  };
}

/** Objects whose bytes are looked at at once. */
const CONCURRENT_LOOKS = 4;

/** The same objects, with what their bytes are in place of a tag that may hold for one place only. */
function identify(objects: readonly ObjectInfo[], store: ObjectStore): Promise<ObjectInfo[]> {
  return pLimit(CONCURRENT_LOOKS).map(objects, async (object) => ({
    ...object,
    etag: await store.identityOf(object),
  }));
}

function notesOf({ passedOver, csv }: HubDataset, input: RunInput): string[] {
  const noted = createPassedOver();
  for (const path of passedOver) noted.add(path);
  const taken = Object.entries(csv)
    .filter(([key]) => input[key as keyof CardCsv] === undefined)
    .map(([key, value]) => `${key} ${JSON.stringify(value)}`);
  return [
    ...noted.notes(),
    ...(taken.length === 0 ? [] : [`Its CSV is read as the dataset's card says: ${taken.join(', ')}.`]),
  ];
}

/** Objects of a dataset, and what is to be told of those that lie beside them. */
export interface DatasetObjects {
  objects: ObjectInfo[];
  notes: string[];
}

/** The same files, with what a plan calls them where that is their tag in this place: so version 0.1.0 told files of a folder. */
export function filesAsPlanned(
  files: readonly ObjectInfo[],
  { dataset }: Pick<RunPlan, 'dataset'>,
  store: ObjectStore,
): Promise<ObjectInfo[]> {
  const planned = new Map(dataset.files.map(({ uri, etag }) => [uri, etag]));
  return pLimit(CONCURRENT_LOOKS).map(files, async (file) => {
    const etag = planned.get(file.uri);
    if (etag === undefined || etag === file.etag || (await store.head(file.uri))?.etag !== etag) return file;
    return { ...file, etag };
  });
}

/** The one object that `uri` names, or all below it, or all that it matches as a pattern, but hidden ones: Spark and others leave _SUCCESS and .crc files beside the data. */
export async function listDatasetObjects(uri: S3Uri, store: ObjectStore): Promise<DatasetObjects> {
  const object = uri.endsWith('/') ? undefined : await store.head(uri);
  if (object !== undefined) return { objects: [object], notes: [] };
  const objects: ObjectInfo[] = [];
  const passedOver = createPassedOver();
  const folder: S3Uri = uri.endsWith('/') ? uri : `${uri}/`;
  for await (const info of store.list(folder)) {
    const hidden = hiddenBelow(info.uri.slice(folder.length));
    if (hidden !== undefined) passedOver.add(hidden);
    // A folder that somebody made by a console is an object of no bytes.
    else if (!info.uri.endsWith('/')) objects.push(info);
  }
  const notes = passedOver.notes();
  if (objects.length > 0) return { objects, notes };
  const { bucket, key } = parseS3Uri(uri);
  const pattern = parseKeyPattern(key);
  if (pattern !== undefined) return matchingObjects(toS3Uri({ bucket, key: pattern.folder }), pattern, store);
  const none = `There is no object ${uri}, and none below ${folder}.`;
  throw new InvalidDatasetError([none, ...notes].join(' '));
}

/** The objects that match a pattern; hidden ones only where it has such a name itself. */
async function matchingObjects(
  folder: S3Uri,
  pattern: KeyPattern,
  store: ObjectStore,
): Promise<DatasetObjects> {
  const asksForHidden = hiddenBelow(pattern.names) !== undefined;
  const passedOver = createPassedOver();
  const objects: ObjectInfo[] = [];
  for await (const info of store.list(folder)) {
    const name = info.uri.slice(folder.length);
    if (!pattern.matches(name) || name.endsWith('/')) continue;
    const hidden = asksForHidden ? undefined : hiddenBelow(name);
    if (hidden === undefined) objects.push(info);
    else passedOver.add(hidden);
  }
  const notes = passedOver.notes();
  if (objects.length > 0) return { objects, notes };
  const uri = `${folder}${pattern.names}`;
  const none = `There is no object ${uri}, none below ${uri}/, and none that it matches as a pattern.`;
  throw new InvalidDatasetError([none, ...notes].join(' '));
}

/** Calls `use` with the objects as local files, which are let go afterwards. */
export async function withLocalFiles<T>(
  files: readonly ObjectInfo[],
  store: ObjectStore,
  use: (local: LocalDatasetFile[]) => Promise<T>,
): Promise<T> {
  await using stack = new AsyncDisposableStack();
  const local = await pLimit(CONCURRENT_LOOKS).map(files, async ({ uri, size: bytes, etag }) => {
    const { path } = stack.use(await store.fetchFile(uri));
    return { uri, bytes, etag, path };
  });
  return await use(local);
}

/** What a Parquet object takes here, at most: as much as is read of one in a plan. */
const SPARSE_BYTES = 1_000_000;

/**
 * Calls `use` with a dataset's files, whose names say what they are unless `format` does. Objects that are not files of this
 * machine are here while they are held: a Parquet one with its footer and what `fetchRows` brings, any other whole.
 */
export async function withDatasetFiles<T>(
  files: readonly ObjectInfo[],
  {
    store,
    scratchDirectory,
    format,
    reader,
  }: Pick<PlanDeps, 'store' | 'scratchDirectory'> &
    Pick<DatasetSource, 'reader'> & { format: GivenFormat | undefined },
  use: (local: LocalDatasetFile[]) => Promise<T>,
): Promise<T> {
  if (store.localPath !== undefined && reader === undefined) return withLocalFiles(files, store, use);
  await using stack = new AsyncDisposableStack();
  const isParquet = ({ uri }: ObjectInfo) => parseSourceName(uri, format)?.format === 'parquet';
  const sparse = await openHeldFiles(files.filter(isParquet), {
    scratchDirectory,
    bring: (info, path) => openSparseParquet(info, { store: reader ?? store, scratchDirectory, path }),
    bytesOf: ({ size }) => Math.min(size, SPARSE_BYTES),
  });
  stack.use(sparse);
  const others = files.filter((info) => !isParquet(info));
  const whole = stack.use(await openHeldFiles(others, { scratchDirectory, ...wholeObjects(store) }));
  const held = new Map([...sparse.files, ...whole.files].map((file) => [file.uri, file]));
  return await use(files.flatMap(({ uri }) => held.get(uri) ?? []));
}
