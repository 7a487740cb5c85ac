import type { Readable } from 'node:stream';
import type { S3Uri } from '../core/s3-uri.ts';

/** What a listing or a HEAD tells of an object. */
export interface ObjectInfo {
  uri: S3Uri;
  /** Bytes. */
  size: number;
  /** Changes whenever the bytes do; opaque. */
  etag: string;
}

/** A small object, and the tag that stands for exactly this state of it. */
export interface TaggedObject {
  body: Uint8Array;
  etag: string;
}

/** What takes an object's place, and the state that it may take the place of: undefined = there is none. */
export interface Replacement {
  body: string | Uint8Array;
  etag: string | undefined;
}

/** A local file that holds an object's bytes for as long as it is not disposed of. Read only. */
export interface LocalFile extends AsyncDisposable {
  path: string;
}

/** First and last byte, both inclusive, as in an HTTP Range. */
export interface ByteRange {
  start: number;
  end: number;
}

/**
 * The object store port: Amazon S3, or a directory in which `s3://bucket/key` is `<directory>/bucket/key`.
 *
 * A write is whole or not there at all: nobody ever sees half an object. Every method rejects with
 * AccessDeniedError or ServiceUnavailableError where those fit, and reads with ObjectNotFoundError.
 */
export interface ObjectStore {
  /** Undefined where there is no such object. */
  head(uri: S3Uri): Promise<ObjectInfo | undefined>;
  /** Every object whose URI starts with `prefix` (as characters, like S3), in the order of their keys' UTF-8 bytes. */
  list(prefix: S3Uri): AsyncIterable<ObjectInfo>;
  /** The folders right below `folder`, which ends in `/`; each ends in `/` too. Nobody looks into them. */
  listFolders(folder: S3Uri): AsyncIterable<S3Uri>;
  /** A whole object; for small ones. */
  read(uri: S3Uri): Promise<Uint8Array>;
  /** An object's bytes, or a range of them. */
  readStream(uri: S3Uri, range?: ByteRange): Promise<Readable>;
  /** Creates or replaces. */
  write(uri: S3Uri, body: string | Uint8Array): Promise<void>;
  /** Creates; false, and nothing changed, where the object exists already. */
  writeIfAbsent(uri: S3Uri, body: string | Uint8Array): Promise<boolean>;
  /** A whole object and its state; undefined where there is none. */
  readTagged(uri: S3Uri): Promise<TaggedObject | undefined>;
  /** Compares and swaps: the etag of what was put there, or undefined, and nothing changed, where the state is another. */
  replace(uri: S3Uri, replacement: Replacement): Promise<string | undefined>;
  /**
   * What the bytes of an object are, wherever it is moved or copied to: in S3 its ETag; in a directory a digest, for which a
   * file is read once.
   */
  identityOf(object: ObjectInfo): Promise<string>;
  /** Puts a finished local file in place of the object. The file is used up: moved, or uploaded and deleted. */
  putFile(path: string, uri: S3Uri): Promise<void>;
  /**
   * The object as a local file: the file itself in a directory store, a download elsewhere. `known`: what a look at it or a
   * listing said of it, where it is to be that very object.
   */
  fetchFile(uri: S3Uri, known?: ObjectInfo): Promise<LocalFile>;
  /** Where the store keeps the object as a file of its own; stores without such files lack this. Read only. */
  localPath?(uri: S3Uri): string;
  /** Deletes; no error where there is nothing. */
  delete(uri: S3Uri): Promise<void>;
}
