import { open, stat } from 'node:fs/promises';
import { isAbsolute, posix, relative, resolve, sep } from 'node:path';
import type { Readable } from 'node:stream';
import {
  AccessDeniedError,
  InvalidRunInputError,
  ObjectNotFoundError,
  QuarryError,
  ServiceUnavailableError,
} from '../../core/errors.ts';
import { parseS3Uri, type S3Uri, toS3Uri } from '../../core/s3-uri.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import { tooManyBytes } from './check-media.ts';
import { type MediaFault, mediaFault } from './media-fault.ts';

/** The bytes of an image or a document. */
export interface FoundMedia {
  kind: 'found';
  bytes: Buffer;
}

/** Reads what a row's text names. */
export interface MediaReader {
  /** Its bytes, or why there are none; rejects only where that says nothing of the row. */
  read(text: string, maxBytes: number): Promise<FoundMedia | MediaFault>;
}

/** Fetches an address: its bytes, or why there are none. */
export type FetchMedia = (url: string, maxBytes: number) => Promise<FoundMedia | MediaFault>;

/** Where texts are looked for. */
export interface MediaPlace {
  /** Where relative paths start from, and stay: a folder of this machine, or `s3://bucket/prefix/`. */
  folder: string;
  store: Pick<ObjectStore, 'readStream' | 'localPath'>;
  /** Undefined: addresses are not fetched. */
  fetchMedia: FetchMedia | undefined;
}

/** Times that an object is read whose bytes break off. */
const MOST_READS = 3;

/**
 * Reads images and documents. Throws InvalidRunInputError where the folder is one of this machine and is not there: every row
 * would lack its own.
 */
export async function openMediaReader({ folder, store, fetchMedia }: MediaPlace): Promise<MediaReader> {
  const isInStore = folder.startsWith('s3://');
  if (isInStore) parseS3Uri(folder);
  else await requireFolder(folder);
  return {
    read: (text, maxBytes) => {
      if (/^s3:\/\//i.test(text)) return readObject(`s3://${text.slice('s3://'.length)}`, maxBytes, store);
      if (/^https:\/\//i.test(text) || /^http:\/\//i.test(text)) return fetched(text, maxBytes, fetchMedia);
      if (/^[a-z][a-z0-9+.-]+:\/\//i.test(text)) {
        return failed('NotAllowed', `is ${quoted(text)}; it may be a path, s3:// or https://`);
      }
      return isInStore
        ? readBelow(folder as S3Uri, text, { maxBytes, store })
        : readFileBelow(folder, text, maxBytes);
    },
  };
}

async function requireFolder(folder: string): Promise<void> {
  const found = isAbsolute(folder) ? await stat(folder).catch(() => undefined) : undefined;
  if (found?.isDirectory() === true) return;
  throw new InvalidRunInputError(
    `files_folder "${folder}" is not a folder of the machine that reads it. Give an absolute path there, or s3://bucket/prefix/; on AWS, files lie in S3.`,
  );
}

async function fetched(
  url: string,
  maxBytes: number,
  fetchMedia: FetchMedia | undefined,
): Promise<FoundMedia | MediaFault> {
  if (fetchMedia !== undefined) return fetchMedia(url, maxBytes);
  return mediaFault('NotAllowed', `is ${quoted(url)}, and addresses are fetched only where fetch is given`);
}

async function readBelow(
  folder: S3Uri,
  path: string,
  { maxBytes, store }: { maxBytes: number } & Pick<MediaPlace, 'store'>,
): Promise<FoundMedia | MediaFault> {
  if (path === '') return mediaFault('NotFound', 'is an empty text');
  const { bucket, key } = parseS3Uri(folder);
  const prefix = key === '' || key.endsWith('/') ? key : `${key}/`;
  const joined = posix.join(prefix, path);
  if (path.startsWith('/') || joined.startsWith('../') || !joined.startsWith(prefix)) {
    return leaves(path, folder);
  }
  return readObject(toS3Uri({ bucket, key: joined }), maxBytes, store);
}

async function readObject(
  uri: S3Uri,
  maxBytes: number,
  store: MediaPlace['store'],
): Promise<FoundMedia | MediaFault> {
  // In a directory, such a key would be another folder's.
  if (!namesObject(uri) || uri.split('/').includes('..')) {
    return mediaFault('NotFound', `is ${quoted(uri)}, which names no object`);
  }
  for (let tries = 1; ; tries += 1) {
    try {
      return await bytesOf(await store.readStream(uri), maxBytes);
    } catch (error) {
      if (error instanceof ObjectNotFoundError) return mediaFault('NotFound', `is not there: ${uri}`);
      // A bucket of another region is refused as a run input: here it is the row's.
      if (error instanceof AccessDeniedError || error instanceof InvalidRunInputError)
        return mediaFault('NotReadable', `cannot be read: ${bare(error)}`);
      if (error instanceof QuarryError) throw error;
      if (tries === MOST_READS) {
        throw new ServiceUnavailableError(`Could not read ${uri}: ${(error as Error).message}`, {
          cause: error,
        });
      }
    }
  }
}

function namesObject(uri: string): boolean {
  try {
    return parseS3Uri(uri).key !== '';
  } catch {
    return false;
  }
}

async function bytesOf(stream: Readable, maxBytes: number): Promise<FoundMedia | MediaFault> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    length += chunk.length;
    // Leaving the loop ends the stream.
    if (length > maxBytes) return tooManyBytesOrMore(maxBytes);
    chunks.push(chunk);
  }
  return { kind: 'found', bytes: Buffer.concat(chunks, length) };
}

/** Of a stream that was not read to its end. */
function tooManyBytesOrMore(maxBytes: number): MediaFault {
  return mediaFault(
    'TooLarge',
    `has more than ${maxBytes.toLocaleString('en-US')} bytes, the most that the model takes`,
  );
}

async function readFileBelow(
  folder: string,
  path: string,
  maxBytes: number,
): Promise<FoundMedia | MediaFault> {
  if (path === '') return mediaFault('NotFound', 'is an empty text');
  const place = resolve(folder, path);
  const below = relative(folder, place);
  if (below === '..' || below.startsWith(`..${sep}`) || isAbsolute(below)) return leaves(path, folder);
  try {
    await using file = await open(place);
    const info = await file.stat();
    if (!info.isFile())
      return mediaFault('NotFound', `is ${quoted(path)}, which is not a file below ${folder}`);
    if (info.size > maxBytes) return tooManyBytes(info.size, maxBytes);
    return { kind: 'found', bytes: await file.readFile() };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EMFILE' || code === 'ENFILE' || code === 'ENOMEM') throw error;
    return code === 'ENOENT' || code === 'ENOTDIR'
      ? mediaFault('NotFound', `is not there: ${quoted(path)} below ${folder}`)
      : mediaFault('NotReadable', `cannot be read: ${message}`);
  }
}

function leaves(path: string, folder: string): MediaFault {
  return mediaFault(
    'NotAllowed',
    `is ${quoted(path)}, which leaves ${folder}; files_folder may name a higher one`,
  );
}

async function failed(...fault: Parameters<typeof mediaFault>): Promise<MediaFault> {
  return mediaFault(...fault);
}

function bare(error: Error): string {
  return error.message.replace(/\.$/, '');
}

/** Characters of a text that a message has. */
const MOST_QUOTED = 200;

function quoted(text: string): string {
  return JSON.stringify(text.length > MOST_QUOTED ? `${text.slice(0, MOST_QUOTED)}…` : text);
}
