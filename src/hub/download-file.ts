import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { InvalidDatasetError } from '../core/errors.ts';
import { writeWhole } from '../store/file-bytes.ts';
import { type HubAnswer, type HubClient, readBody, unquote } from './hub-client.ts';
import type { HubFile } from './hub-dataset.ts';
import { retryHubFaults, TransientHubFault } from './hub-retry.ts';
import { watchForStall } from './stall-watch.ts';

/** Bytes that an attempt must have gained for the connection to count as good, however it ended. */
const PROGRESS_BYTES = 1024 ** 2;

/** Where a file comes from and goes to. */
export interface FileDownload {
  client: HubClient;
  /** Commit that the file is in. */
  commit: string;
  /** The local file. What it holds already, by an earlier call that was broken off, is continued. */
  path: string;
  /** Told of the bytes that are there, whenever they grow. */
  onBytes: (bytes: number) => void;
  signal: AbortSignal;
}

/**
 * Downloads a file over plain HTTP, continuing with a Range request where the connection breaks off, and checks its
 * size and content hash. Throws InvalidDatasetError where the Hub has other bytes than the listing says.
 */
export async function downloadHubFile(file: HubFile, download: FileDownload): Promise<void> {
  const { client, signal } = download;
  await using local = await openPartialFile(file, download.path);
  const hadEarlierBytes = local.bytes > 0;
  let provenBytes = local.bytes;
  const fetchAll = () =>
    retryHubFaults(
      (progressed) => {
        const onGrowth = (bytes: number) => {
          download.onBytes(bytes);
          // Measured from the furthest point ever, lest a server without ranges keep us going round for ever.
          if (bytes - provenBytes < PROGRESS_BYTES) return;
          provenBytes = bytes;
          progressed();
        };
        return fetchRest(file, { ...download, local, onBytes: onGrowth });
      },
      { ...client.access, signal },
    );
  await fetchAll();
  if (!local.isIntact() && hadEarlierBytes) {
    // What was there may be of another file; what comes now is not.
    await local.restart();
    await fetchAll();
  }
  if (!local.isIntact()) {
    await local.restart();
    throw changed(file, `its content has another hash than the listed ${file.etag}`);
  }
}

interface PartialFile extends AsyncDisposable {
  readonly bytes: number;
  /** ETag of the answer that the bytes came from; undefined = of an earlier call, or of none. */
  etag: string | undefined;
  append(chunk: Uint8Array): Promise<void>;
  restart(): Promise<void>;
  /** True where the bytes have the listed hash, or no hash is listed. */
  isIntact(): boolean;
}

async function fetchRest(
  file: HubFile,
  { client, commit, local, onBytes, signal }: FileDownload & { local: PartialFile },
): Promise<void> {
  onBytes(local.bytes);
  if (local.bytes === file.bytes) return;
  const { clock, stallTimeoutMs } = client.access;
  await watchForStall(
    async ({ signal, alive }) => {
      const startedAt = local.bytes;
      const headers = startedAt === 0 ? {} : rangeFrom(startedAt, local.etag);
      const answer = await client.send(client.fileUrl({ path: file.path, commit }), { headers, signal });
      alive();
      await acceptAnswer(answer, { file, commit, local });
      for await (const chunk of readBody(answer.response, signal)) {
        alive();
        if (local.bytes + chunk.length > file.bytes) {
          throw changed(file, `it has more than the listed ${file.bytes} bytes`);
        }
        await local.append(chunk);
        onBytes(local.bytes);
      }
      if (local.bytes < file.bytes) {
        throw new TransientHubFault(
          `The Hub's answer for ${file.path} ended after ${local.bytes} of ${file.bytes} bytes.`,
        );
      }
    },
    { clock, timeoutMs: stallTimeoutMs, signal },
  );
}

function rangeFrom(start: number, etag: string | undefined): Record<string, string> {
  return {
    range: `bytes=${start}-`,
    // Only a strong validator may guard a range. https://www.rfc-editor.org/rfc/rfc9110#name-if-range
    ...(etag === undefined || etag.startsWith('W/') ? {} : { 'if-range': etag }),
  };
}

/** Refuses an answer for another file than the listed one; starts anew where the answer does. */
async function acceptAnswer(
  { response, linkedEtag, commit: servedCommit }: HubAnswer,
  { file, commit, local }: { file: HubFile; commit: string; local: PartialFile },
): Promise<void> {
  const { headers, status } = response;
  if (linkedEtag !== undefined && linkedEtag !== file.etag) {
    throw changed(file, `the Hub now gives it the hash ${linkedEtag}`);
  }
  if (servedCommit !== undefined && servedCommit !== commit) {
    throw changed(file, `the Hub served it from commit ${servedCommit} instead of ${commit}`);
  }
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get('content-range') ?? '');
  if (status === 206 && Number(range?.[1]) !== local.bytes) {
    throw new TransientHubFault(
      `The Hub answered for ${file.path} with a different range than was asked for.`,
    );
  }
  if (status !== 206 && local.bytes > 0) await local.restart();
  const length = headers.has('content-encoding') ? null : headers.get('content-length');
  const total = status === 206 ? (range?.[2] ?? '*') : (length ?? '*');
  if (total !== '*' && Number(total) !== file.bytes) {
    throw changed(file, `it now has ${total} bytes instead of the listed ${file.bytes}`);
  }
  local.etag = headers.get('etag') ?? undefined;
}

function changed({ path }: HubFile, how: string): InvalidDatasetError {
  return new InvalidDatasetError(
    `${path} of the dataset is not the file that was listed: ${how}. Start the run again with a new run_id to take the files as they are now.`,
  );
}

async function openPartialFile(file: HubFile, path: string): Promise<PartialFile> {
  const handle = await open(path, 'a+');
  const { size } = await handle.stat();
  let bytes = 0;
  let hash = createContentHash(file);
  let etag: string | undefined;
  const restart = async () => {
    await handle.truncate(0);
    bytes = 0;
    hash = createContentHash(file);
    etag = undefined;
  };
  if (size > file.bytes) await restart();
  else bytes = await hashFile(path, hash);
  return {
    get bytes() {
      return bytes;
    },
    get etag() {
      return etag;
    },
    set etag(value) {
      etag = value;
    },
    append: async (chunk) => {
      await writeWhole(handle, chunk);
      hash?.update(chunk);
      bytes += chunk.length;
    },
    restart,
    isIntact: () => hash === undefined || hash.copy().digest('hex') === unquote(file.etag),
    [Symbol.asyncDispose]: () => handle.close(),
  };
}

/** SHA-256 for a file in large file storage; else the id of git's blob, which is over its length too. */
function createContentHash({ bytes, etag }: HubFile): Hash | undefined {
  if (/^[0-9a-f]{64}$/.test(etag)) return createHash('sha256');
  if (/^[0-9a-f]{40}$/.test(etag)) return createHash('sha1').update(`blob ${bytes}\0`);
  return undefined;
}

async function hashFile(path: string, hash: Hash | undefined): Promise<number> {
  let bytes = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Uint8Array>) {
    hash?.update(chunk);
    bytes += chunk.length;
  }
  return bytes;
}
