import { listFiles } from '@huggingface/hub';
import type { HubClient } from './hub-client.ts';
import type { HubFile } from './hub-dataset.ts';

/** A dataset's repository, at one commit. */
export interface RepositoryAt {
  client: HubClient;
  datasetId: string;
  commit: string;
}

/** All files of a repository at a commit. */
export async function listRepositoryFiles({ client, datasetId, commit }: RepositoryAt): Promise<HubFile[]> {
  const files: HubFile[] = [];
  for await (const { type, path, size, oid = '', lfs } of listFiles({
    repo: { type: 'dataset', name: datasetId },
    revision: commit,
    recursive: true,
    hubUrl: client.endpoint,
    fetch: client.fetch,
  })) {
    if (type === 'file') files.push({ path, bytes: lfs?.size ?? size, etag: lfs?.oid ?? oid });
  }
  return files;
}
