import { datasetInfo } from '@huggingface/hub';
import { InvalidDatasetError } from '../core/errors.ts';
import { isPlainJson } from './data-format.ts';
import { type CardConfig, parseCardConfigs } from './dataset-card.ts';
import type { HubAccess } from './hub-access.ts';
import { createHubClient, type HubClient } from './hub-client.ts';
import type { FileSearch, HubDataset, HubDatasetRequest, HubFile } from './hub-dataset.ts';
import { JSON_HEAD_BYTES, jsonFault } from './json-head.ts';
import { findNativeFiles, type HubRepository } from './native-files.ts';
import { findConvertedFiles } from './parquet-conversion.ts';
import { listRepositoryFiles, type RepositoryAt } from './repository-files.ts';

/**
 * Finds the files of a split at a revision, which is pinned to its commit: the dataset's own, by its card or by their
 * names; else the Hub's Parquet conversion, if that is whole and of the same commit. Downloads no data.
 *
 * Throws InvalidRunInputError where there is no such dataset, revision, config or split; AccessDeniedError where the
 * dataset may not be read; InvalidDatasetError where no files can be read; ServiceUnavailableError.
 */
export async function resolveHubDataset(request: HubDatasetRequest, hub: HubAccess): Promise<HubDataset> {
  const revision = request.revision ?? 'main';
  const first = createHubClient(hub, { datasetId: request.datasetId, revision });
  const { name, sha } = await datasetInfo({
    name: request.datasetId,
    revision,
    additionalFields: ['sha'],
    hubUrl: first.endpoint,
    fetch: first.fetch,
  });
  // A dataset that was renamed answers under its new name.
  const named = { ...request, datasetId: name };
  const client = createHubClient(hub, { datasetId: name, revision });
  const files = await listRepositoryFiles({ client, datasetId: name, commit: sha });
  const configs = await readCardConfigs(files, { client, datasetId: name, commit: sha });

  const native = await searchNatively(named, { client, repository: { commit: sha, files, configs } });
  if (native.kind === 'found') return toDataset(native, { datasetId: name, commit: sha });
  const converted = await findConvertedFiles(named, {
    client,
    commit: sha,
    defaultName: configs.find(({ isDefault }) => isDefault)?.name,
  });
  if (converted.kind === 'found') return toDataset(converted, { datasetId: name, commit: sha });
  throw new InvalidDatasetError(
    `The dataset "${name}" cannot be read at commit ${sha}: ${native.reason}; and ${converted.reason}. Download it, write it as Parquet, CSV or JSONL, and give it as s3_uri.`,
  );
}

async function searchNatively(
  request: HubDatasetRequest,
  { client, repository }: { client: HubClient; repository: HubRepository },
): Promise<FileSearch> {
  const { datasetId } = request;
  const script = `${datasetId.slice(datasetId.lastIndexOf('/') + 1)}.py`;
  // What such a script makes of the files, they do not say themselves.
  if (repository.files.some(({ path }) => path === script)) {
    return { kind: 'unusable', reason: `it is made by a loading script, ${script}, which is not run` };
  }
  const search = findNativeFiles(request, repository);
  if (search.kind === 'unusable') return search;
  // The others are looked at once they are here.
  const json = search.files.find(({ path, bytes }) => isPlainJson(path) && bytes > 0);
  if (json === undefined) return search;
  const url = client.fileUrl({ path: json.path, commit: search.filesCommit });
  const head = await client.readStart(url, JSON_HEAD_BYTES);
  const fault = jsonFault(head, json.path);
  return fault === undefined ? search : { kind: 'unusable', reason: `${json.path} ${fault}` };
}

async function readCardConfigs(
  files: readonly HubFile[],
  { client, datasetId, commit }: RepositoryAt,
): Promise<CardConfig[]> {
  if (!files.some(({ path }) => path === 'README.md')) return [];
  const response = await client.fetch(client.fileUrl({ path: 'README.md', commit }));
  return parseCardConfigs(await response.text(), datasetId);
}

function toDataset(
  { kind: _, ...found }: Extract<FileSearch, { kind: 'found' }>,
  identity: Pick<HubDataset, 'datasetId' | 'commit'>,
): HubDataset {
  return { ...identity, ...found };
}
