import { Readable } from 'node:stream';
import { InvalidDatasetError } from '../core/errors.ts';
import type { S3Uri } from '../core/s3-uri.ts';
import type { ByteRange, ObjectInfo, ObjectStore } from '../store/object-store.ts';
import { type HubObjectPlace, hubObjectUri } from './download-dataset.ts';
import type { HubAccess } from './hub-access.ts';
import { createHubClient, type HubClient, readBody } from './hub-client.ts';
import type { HubDataset, HubFile } from './hub-dataset.ts';
import { retryHubFaults, TransientHubFault } from './hub-retry.ts';
import { watchForStall } from './stall-watch.ts';

/** A dataset's files where they are on the Hub, under the URIs that they have once they are downloaded. */
export interface HubFileReader extends Pick<ObjectStore, 'readStream'> {
  files: ObjectInfo[];
}

/**
 * Reads a dataset's files in place, by HTTP ranges, for a plan that needs little of them: of Parquet the footers and a few
 * columns. Nothing is written. `readStream` rejects with InvalidDatasetError where a file is not the one that was resolved,
 * and with ServiceUnavailableError where the Hub does not answer.
 */
export function createHubFileReader(
  dataset: HubDataset,
  hub: HubAccess,
  { prefixUri, signal }: Pick<HubObjectPlace, 'prefixUri'> & { signal?: AbortSignal | undefined },
): HubFileReader {
  const client = createHubClient(hub, { datasetId: dataset.datasetId, revision: dataset.filesCommit });
  const byUri = new Map(dataset.files.map((file) => [hubObjectUri(file, dataset, prefixUri), file]));
  return {
    files: [...byUri].map(([uri, { bytes, etag }]) => ({ uri, size: bytes, etag })),
    readStream: async (uri: S3Uri, range?: ByteRange) => {
      const file = byUri.get(uri);
      if (file === undefined) throw new InvalidDatasetError(`${uri} is no file of ${dataset.datasetId}.`);
      const asked = range ?? { start: 0, end: file.bytes - 1 };
      const bytes = await retryHubFaults(
        () => readRange(file, asked, { client, commit: dataset.filesCommit, signal }),
        { ...client.access, ...(signal === undefined ? {} : { signal }) },
      );
      return Readable.from([bytes], { objectMode: false });
    },
  };
}

/** The bytes of a range, whole; also from a server that knows no ranges. */
async function readRange(
  file: HubFile,
  { start, end }: ByteRange,
  { client, commit, signal }: { client: HubClient; commit: string; signal: AbortSignal | undefined },
): Promise<Buffer> {
  const { clock, stallTimeoutMs } = client.access;
  const chunks: Uint8Array[] = [];
  await watchForStall(
    async ({ signal, alive }) => {
      const { response, linkedEtag } = await client.send(client.fileUrl({ path: file.path, commit }), {
        headers: { range: `bytes=${start}-${end}` },
        signal,
      });
      alive();
      if (linkedEtag !== undefined && linkedEtag !== file.etag) {
        throw new InvalidDatasetError(
          `${file.path} of the dataset is not the file that was listed: the Hub now gives it the hash ${linkedEtag}. Plan again.`,
        );
      }
      let at = response.status === 206 ? start : 0;
      for await (const chunk of readBody(response, signal)) {
        alive();
        const wanted = chunk.subarray(Math.max(0, start - at), Math.max(0, end + 1 - at));
        if (wanted.length > 0) chunks.push(wanted);
        at += chunk.length;
        if (at > end) break;
      }
      if (at <= end) {
        throw new TransientHubFault(`The Hub's answer for ${file.path} ended at byte ${at} of ${end}.`);
      }
    },
    { clock, timeoutMs: stallTimeoutMs, signal: signal ?? new AbortController().signal },
  );
  return Buffer.concat(chunks);
}
